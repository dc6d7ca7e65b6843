package io.quoin.qcow2.hostile;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.Qcow2Type;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.info.ImageChain;
import io.quoin.qcow2.info.Qcow2Info;
import io.quoin.qcow2.info.Qcow2Map;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Every way in which an image is opened, each used as a guest or an operator would. What ends in a
 * {@link BlockException} or a {@link BlockError} is told; everything else is the test's failure.
 */
public final class Entrances implements AutoCloseable {
    static final String IMAGE = "disk.qcow2";
    static final String LOOP = "loop.qcow2";
    static final String CHAIN = "chain-";

    private static final int CHAIN_LENGTH = 300;
    private static final int PIECE = 64 << 10;
    private static final long ALL_READ_BYTES = 8 << 20;
    private static final int SAMPLES = 48;
    private static final long MAPPED_EXTENTS_MAX = 100_000;

    private final Path folder;
    private final long stepBytes;
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final Xlator volume;

    /** What an entrance has to tell. */
    public record Report(
            boolean opened, String message, Set<BlockError> reads, Set<BlockError> writes) {
        static Report refused(BlockException e) {
            return new Report(
                    false,
                    String.valueOf(e.getMessage()),
                    EnumSet.noneOf(BlockError.class),
                    EnumSet.noneOf(BlockError.class));
        }

        static Report open() {
            return new Report(
                    true, "", EnumSet.noneOf(BlockError.class), EnumSet.noneOf(BlockError.class));
        }
    }

    public Entrances(Path folder) throws IOException {
        this(folder, PIECE);
    }

    /** One that reads and writes a piece every {@code stepBytes}, and no more. */
    public Entrances(Path folder, long stepBytes) throws IOException {
        this.folder = folder;
        this.stepBytes = stepBytes;
        Qcow2Type type = new Qcow2Type();
        volume =
                type.create(
                        "images",
                        // loop.qcow2 stands on the image, which is to be opened for writing too
                        new OptionValues(type.options(), Map.of("protect-parents", "off")),
                        List.of(brick),
                        new GraphContext(loops, loops.blocking(), folder));
        byte[] base = new byte[10_000];
        byte[] secret = SmallImage.SECRET.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(secret, 0, base, 0, secret.length);
        neighbour("base.raw", base);
        neighbour("empty.raw", new byte[0]);
        neighbour("disguised.raw", SmallImage.withBacking("/etc/passwd", "raw").toArray());
        brick.put(LOOP, SmallImage.withBacking(IMAGE, "qcow2").toArray());
    }

    private void putChain() {
        for (int i = 0; i < CHAIN_LENGTH; i++) {
            String next = i + 1 < CHAIN_LENGTH ? CHAIN + (i + 1) + ".qcow2" : "base.raw";
            String format = i + 1 < CHAIN_LENGTH ? "qcow2" : "raw";
            brick.put(CHAIN + i + ".qcow2", SmallImage.withBacking(next, format).toArray());
        }
    }

    private void neighbour(String name, byte[] content) throws IOException {
        brick.put(name, content);
        if (Files.isDirectory(folder)) {
            Files.write(folder.resolve(name), content);
        }
    }

    public MemoryXlator brick() {
        return brick;
    }

    /** Puts the image where {@link #readOnly} and {@link #readWrite} find it. */
    public void install(SmallImage image) {
        brick.put(IMAGE, image.toArray());
        if (image.backing.startsWith(CHAIN)) {
            putChain();
        }
        if (image.fileSize() > image.toArray().length) {
            XlatorFile file = loops.await(brick.open(IMAGE, OpenOptions.READ_WRITE, loops.loop(0)));
            loops.await(loops.loop(0).call(() -> file.resize(image.fileSize())));
            loops.await(loops.loop(0).call(file::close));
        }
    }

    public static Report describe(MemoryImageFile file) {
        try {
            Report report = Report.open();
            return new Report(
                    true, Qcow2Info.describe(file).toString(), report.reads, report.writes);
        } catch (BlockException e) {
            return Report.refused(e);
        }
    }

    public static Report check(MemoryImageFile file) {
        StringBuilder findings = new StringBuilder();
        try {
            Qcow2Check.check(
                    file,
                    RepairMode.NONE,
                    new CheckListener() {
                        @Override
                        public void finding(String text) {
                            findings.append(text).append('\n');
                        }
                    });
            return new Report(
                    true,
                    findings.toString(),
                    EnumSet.noneOf(BlockError.class),
                    EnumSet.noneOf(BlockError.class));
        } catch (BlockException e) {
            return Report.refused(e);
        }
    }

    public Report map(MemoryImageFile file) throws IOException {
        long[] extents = {0};
        try (ImageChain chain =
                ImageChain.open(
                        file,
                        BackingFiles.inFolder(
                                folder, path -> ChannelImageFile.open(path, false)))) {
            try {
                Qcow2Map.map(
                        chain,
                        extent -> {
                            if (++extents[0] > MAPPED_EXTENTS_MAX) {
                                throw new BlockException(BlockError.EIO, "enough of the map seen");
                            }
                        });
                return Report.open();
            } catch (BlockException e) {
                return new Report(
                        true,
                        String.valueOf(e.getMessage()),
                        EnumSet.noneOf(BlockError.class),
                        EnumSet.noneOf(BlockError.class));
            }
        } catch (BlockException e) {
            return Report.refused(e);
        }
    }

    public Report readOnly() {
        return open(IMAGE, OpenMode.READ_ONLY, (file, report) -> read(file, report.reads));
    }

    /** The internal snapshot, if the image has one. */
    public Report snapshot() {
        return open(IMAGE + "@1", OpenMode.READ_ONLY, (file, report) -> read(file, report.reads));
    }

    /** What is in the files beside the image, of which none may change. */
    Map<String, byte[]> neighbours() {
        Map<String, byte[]> contents = new TreeMap<>();
        for (FileInfo file : loops.await(brick.list())) {
            if (!file.fileName().equals(IMAGE)) {
                contents.put(file.fileName(), brick.content(file.fileName()));
            }
        }
        return contents;
    }

    /** Ends the threads of the volume. */
    @Override
    public void close() {
        loops.await(volume.close());
    }

    public Report readWrite() {
        return open(
                IMAGE,
                OpenMode.READ_WRITE,
                (file, report) -> {
                    write(file, report.writes);
                    resize(file, report.writes);
                    read(file, report.reads);
                });
    }

    private interface Use {
        void of(XlatorFile file, Report report);
    }

    private Report open(String name, OpenMode mode, Use use) {
        XlatorFile file;
        try {
            file = loops.await(volume.open(name, OpenOptions.of(mode), loops.loop(0)));
        } catch (BlockException e) {
            return Report.refused(e);
        }
        Report report = Report.open();
        use.of(file, report);
        String details = file.details().toString();
        try {
            loops.await(loops.loop(0).call(file::close));
        } catch (BlockException e) {
            report.writes.add(e.error());
            details += e.getMessage();
        }
        loops.runReady();
        return new Report(true, details, report.reads, report.writes);
    }

    /** All of a small disk; of a large one its start, its end and samples between. */
    private void eachPiece(long size, Consumer<long[]> use) {
        long step =
                size <= ALL_READ_BYTES ? stepBytes : Math.max(stepBytes, size / SAMPLES & -PIECE);
        for (long at = 0; at < size; at += step) {
            use.accept(new long[] {at, Math.min(PIECE, size - at)});
            if (at > Long.MAX_VALUE - step) {
                break;
            }
        }
    }

    private void read(XlatorFile file, Set<BlockError> errors) {
        FileDriver driver = new FileDriver(file, loops.loop(0));
        ExtentList extents = new ExtentList(1024);
        eachPiece(
                file.geometry().sizeBytes(),
                piece -> {
                    errors.add(driver.await(driver.startRead(piece[0], (int) piece[1])));
                    extents.clear();
                    IoRequest status =
                            new IoRequest()
                                    .prepare(IoOp.BLOCK_STATUS, piece[0], piece[1], IoFlags.NONE)
                                    .extents(extents);
                    errors.add(driver.perform(status));
                });
        errors.remove(BlockError.OK);
    }

    private void write(XlatorFile file, Set<BlockError> errors) {
        FileDriver driver = new FileDriver(file, loops.loop(0));
        eachPiece(
                file.geometry().sizeBytes(),
                piece -> {
                    long at = piece[0];
                    int length = (int) piece[1];
                    byte[] data = new byte[Math.min(length, 6000)];
                    errors.add(driver.write(at, data, IoFlags.NONE));
                    if (length > 20_000) {
                        // Into a zero cluster that keeps its place.
                        errors.add(driver.write(at + 13_000, new byte[100], IoFlags.NONE));
                        errors.add(driver.zero(at + 8192, 5000, IoFlags.MAY_UNMAP));
                        errors.add(driver.discard(at + 14_000, 6000));
                    }
                });
        errors.add(driver.flush());
        errors.remove(BlockError.OK);
    }

    private void resize(XlatorFile file, Set<BlockError> errors) {
        long size = file.geometry().sizeBytes();
        for (long newSize : new long[] {size + (1 << 20), size / 2 & -512}) {
            try {
                loops.await(loops.loop(0).call(() -> file.resize(newSize)));
            } catch (BlockException e) {
                // A refusal for a reason of its own: smaller, or not a multiple.
                if (e.error() == BlockError.EIO) {
                    errors.add(e.error());
                }
            }
        }
    }
}
