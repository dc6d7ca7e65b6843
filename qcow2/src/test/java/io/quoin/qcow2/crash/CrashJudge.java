package io.quoin.qcow2.crash;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Judges what a crash has left: by Quoin's check, a check of references written for the tests,
 * sampled by QEMU's; by what it reads as; by a repair; and by writing to it once more.
 *
 * <p>Threading: confined to the test.
 */
final class CrashJudge implements CrashReplay.Judge {
    static final String IMAGE = "disk.qcow2";
    private static final int STAMP_AFTER = 0x4000_0001;

    /** Kinds of findings. */
    enum Loss {
        METADATA,
        DATA,
        REPAIR,
        RACE
    }

    /** One of them. */
    record Finding(Loss loss, String text) {}

    private final Path folder;
    private final SectorModel model;
    final Kept kept;
    private final Map<String, byte[]> readOnlyFiles;
    private final int qemuEvery;
    private final FlatBytes repaired = new FlatBytes();
    private final Map<String, FlatBytes> others = new TreeMap<>();
    final List<Finding> findings = new ArrayList<>();
    int states;
    int leaky;
    int dirty;
    int judgedByQemu;

    /**
     * @param readOnlyFiles backing files, which no crash touches
     * @param qemuEvery of this many states one is shown to qemu-img
     */
    CrashJudge(
            Path folder,
            SectorModel model,
            Kept kept,
            Map<String, byte[]> readOnlyFiles,
            int qemuEvery) {
        this.folder = folder;
        this.model = model;
        this.kept = kept;
        this.readOnlyFiles = readOnlyFiles;
        this.qemuEvery = qemuEvery;
    }

    @Override
    public void judge(String state, Map<String, FlatBytes> files) {
        states++;
        int before = findings.size();
        try {
            FlatBytes image = files.get(IMAGE);
            boolean wasDirty = isDirty(image);
            dirty += wasDirty ? 1 : 0;
            checkMetadata(image, wasDirty);
            if (states % qemuEvery == 0 && Peer.QEMU_IMG.available()) {
                checkByQemu(files, wasDirty);
            }
            byte[] content = read(files, IMAGE);
            addData(model.judge(content));
            addData(kept.judgeBitmap(image.content(), content));
            if (kept.hasSnapshot()) {
                addData(kept.judgeSnapshot(read(files, IMAGE + "@" + Kept.SNAPSHOT)));
            }
            String kept = ReclaimJudge.judge(folder, files, readOnlyFiles, states);
            if (!kept.isEmpty()) {
                add(Loss.REPAIR, kept);
            }
            repairAndWrite(files, wasDirty);
            writeUnrepaired(files);
        } catch (BlockException | AssertionError e) {
            add(Loss.METADATA, "image cannot be used: " + e);
        }
        for (int i = before; i < findings.size(); i++) {
            Finding finding = findings.get(i);
            findings.set(i, new Finding(finding.loss, state + ": " + finding.text));
        }
    }

    private void addData(String wrong) {
        if (!wrong.isEmpty()) {
            add(Loss.DATA, wrong);
        }
    }

    private void add(Loss loss, String text) {
        findings.add(new Finding(loss, text));
    }

    private static boolean isDirty(FlatBytes image) {
        byte[] header = new byte[80];
        image.read(0, java.nio.ByteBuffer.wrap(header));
        return header[7] == 3 && (header[79] & 1) != 0;
    }

    /** Of a dirty image the counts mean nothing, but its references have to be sound. */
    private void checkMetadata(FlatBytes image, boolean wasDirty) {
        String wrong = ReferenceCheck.check(image, !wasDirty);
        if (!wrong.isEmpty()) {
            add(Loss.METADATA, wrong);
        }
        if (!wasDirty) {
            CheckResult result = check(image, RepairMode.NONE, Loss.METADATA);
            leaky += result.leaks() > 0 ? 1 : 0;
        }
    }

    /** Anything but leaks is a finding. */
    private CheckResult check(FlatBytes image, RepairMode mode, Loss loss) {
        StringBuilder told = new StringBuilder();
        CheckResult result =
                Qcow2Check.check(
                        new FlatImage(image),
                        mode,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                told.append(told.length() < 1000 ? text + "; " : "");
                            }
                        });
        if (result.corruptions() > 0 || result.checkErrors() > 0) {
            add(loss, "check " + mode + ": " + told);
        }
        return result;
    }

    private ImageFixture over(Map<String, FlatBytes> files) {
        FlatFiles brick = new FlatFiles();
        files.forEach(brick::put);
        readOnlyFiles.forEach(
                (name, content) ->
                        brick.put(name, others.computeIfAbsent(name, n -> new FlatBytes(content))));
        return new ImageFixture(folder, new MemoryXlator("none"), brick, Map.of());
    }

    private byte[] read(Map<String, FlatBytes> files, String name) {
        ImageFixture images = over(files);
        XlatorFile file = images.open(name, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }

    /** A repair leaves nothing to complain of; then it is a disk as any other. */
    private void repairAndWrite(Map<String, FlatBytes> files, boolean wasDirty) {
        repaired.copyFrom(files.get(IMAGE));
        RepairMode mode = wasDirty ? RepairMode.ALL : RepairMode.LEAKS;
        check(repaired, mode, Loss.REPAIR);
        if (!Qcow2Check.check(new FlatImage(repaired), RepairMode.NONE, CheckListener.SILENT)
                .isClean()) {
            add(Loss.REPAIR, "not clean after repair " + mode);
        }
        Map<String, FlatBytes> copies = new TreeMap<>(files);
        copies.put(IMAGE, repaired);
        write(copies, "after repair");
        if (!Qcow2Check.check(new FlatImage(repaired), RepairMode.NONE, CheckListener.SILENT)
                .isClean()) {
            add(Loss.REPAIR, "not clean after repair and another write");
        }
    }

    /** Most images are never repaired but simply opened again. */
    private void writeUnrepaired(Map<String, FlatBytes> files) {
        write(files, "unrepaired");
        check(files.get(IMAGE), RepairMode.NONE, Loss.REPAIR);
    }

    private void write(Map<String, FlatBytes> files, String when) {
        ImageFixture images = over(files);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        int size = (int) file.geometry().sizeBytes();
        byte[] expected = driver.read(0, size);
        int sectors = size / SectorStamp.SECTOR_BYTES;
        int at = states * 31 % sectors * SectorStamp.SECTOR_BYTES;
        int length = Math.min(size - at, 3 * SectorStamp.SECTOR_BYTES);
        byte[] data = SectorStamp.bytes(STAMP_AFTER, at, length);
        driver.write(at, data);
        System.arraycopy(data, 0, expected, at, length);
        BlockError flushed = driver.flush();
        images.close(file);
        if (!flushed.isOk() || !java.util.Arrays.equals(read(files, IMAGE), expected)) {
            add(Loss.REPAIR, when + ": reads something else after one more write, " + flushed);
        }
    }

    private void checkByQemu(Map<String, FlatBytes> files, boolean wasDirty) {
        judgedByQemu++;
        try {
            for (Map.Entry<String, FlatBytes> file : files.entrySet()) {
                Files.write(folder.resolve(file.getKey()), file.getValue().content());
            }
            PeerResult qemu = wasDirty ? qemuCheck("-r", "all", IMAGE) : qemuCheck(IMAGE);
            if (qemu.exitCode() != 0 && qemu.exitCode() != 3) {
                add(Loss.METADATA, "qemu-img check: " + qemu);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private PeerResult qemuCheck(String... arguments) {
        List<String> command = new ArrayList<>(List.of("check"));
        command.addAll(List.of(arguments));
        return Peer.QEMU_IMG.command(command).directory(folder).run();
    }
}
