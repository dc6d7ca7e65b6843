package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.edit.BackingChange;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Carries out a sequence with Quoin: several requests at a time, over a brick that at times
 * reorders them or cannot discard, with options drawn from the seed. Between two sessions the files
 * lie in a folder for QEMU.
 *
 * <p>Threading: confined to the test.
 */
final class QuoinSide {
    private static final int AUTOCLEAR_BYTE = 88;
    private static final int DEPTH = 4;

    private final Path folder;
    private final ImageSpec spec;
    private final MemoryXlator brick = new MemoryXlator("brick");
    final ImageFixture images;
    final List<SequenceStep> under = new ArrayList<>();
    private final List<Pending> pendings = new ArrayList<>();
    private XlatorFile file;

    /** What had not been given back was lost sight of by QEMU, which does not know the mark. */
    boolean markLost;

    QuoinSide(Path folder, List<String> files, ImageSpec spec, long seed) throws IOException {
        this.folder = folder;
        this.spec = spec;
        for (String name : files) {
            brick.put(name, Files.readAllBytes(folder.resolve(name)));
        }
        Random random = new Random(seed);
        Xlator below = random.nextInt(4) == 0 ? new NoDiscard(brick) : brick;
        below = random.nextBoolean() ? new ReorderingXlator("reorder", below, seed) : below;
        String zeroes = List.of("off", "off", "on", "unmap").get(random.nextInt(4));
        int cacheBytes = random.nextBoolean() ? 4 * spec.clusterSize() : 32 << 20;
        images =
                new ImageFixture(
                        folder,
                        brick,
                        below,
                        Map.of("detect-zeroes", zeroes, "cache-size", "" + cacheBytes));
        file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
    }

    /** Carries out one step; false: it was refused as it may be, and changed nothing. */
    boolean apply(SequenceStep step) throws IOException {
        switch (step.kind()) {
            case WRITE, COMPRESSED, ZERO, DISCARD, FLUSH -> {
                return start(step);
            }
            case REOPEN -> {
                close();
                file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
            }
            case RESIZE -> resize(step.length());
            case BITMAP_ADD,
                    BITMAP_REMOVE,
                    BITMAP_CLEAR,
                    BITMAP_ENABLE,
                    BITMAP_DISABLE,
                    BITMAP_MERGE ->
                    bitmap(step);
            case REBASE_SAME -> betweenSessions(() -> rename(step.name()));
            default -> betweenSessions(() -> QemuSide.byQemu(folder, step));
        }
        return true;
    }

    private boolean start(SequenceStep step) {
        boolean flush = step.kind() == SequenceStep.Kind.FLUSH;
        boolean alone = (step.flags() & IoFlags.FAST_ZERO) != 0;
        boolean overlaps =
                !flush
                        && under.stream()
                                .anyMatch(o -> o.offset() < step.end() && step.offset() < o.end());
        if (alone || overlaps || pendings.size() == DEPTH) {
            drain();
        }
        FileDriver driver = driver();
        int flags = step.flags();
        Pending pending =
                switch (step.kind()) {
                    case WRITE -> driver.startWrite(step.offset(), SequenceModel.data(step), flags);
                    case COMPRESSED ->
                            driver.startWrite(
                                    step.offset(),
                                    SequenceModel.data(step),
                                    flags | IoFlags.COMPRESSED);
                    case ZERO ->
                            driver.start(IoOp.WRITE_ZEROES, step.offset(), step.length(), flags);
                    case DISCARD -> driver.start(IoOp.DISCARD, step.offset(), step.length(), flags);
                    default -> driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
                };
        if (alone) {
            BlockError error = driver.await(pending);
            assertThat(error).as("%s", step).isIn(BlockError.OK, BlockError.ENOTSUP);
            return error.isOk();
        }
        under.add(step);
        pendings.add(pending);
        return true;
    }

    /** Awaits what is under way. */
    void drain() {
        for (int i = 0; i < pendings.size(); i++) {
            BlockError error = driver().await(pendings.get(i));
            assertThat(error).as("%s", under.get(i)).isEqualTo(BlockError.OK);
        }
        pendings.clear();
        under.clear();
    }

    FileDriver driver() {
        return images.driver(file);
    }

    <T> T call(Function<XlatorFile, CompletionStage<T>> use) {
        return images.loops.await(images.loops.loop(0).call(() -> use.apply(file)));
    }

    private void resize(int newSize) {
        drain();
        call(f -> newSize < f.geometry().sizeBytes() ? f.shrink(newSize) : f.resize(newSize));
    }

    private void bitmap(SequenceStep step) {
        drain();
        BitmapControl control = BitmapControl.of(file).orElseThrow();
        String name = step.name();
        call(
                f ->
                        switch (step.kind()) {
                            case BITMAP_ADD -> control.add(name, 1L << step.stamp(), true);
                            case BITMAP_REMOVE -> control.remove(name);
                            case BITMAP_CLEAR -> control.clear(name);
                            case BITMAP_ENABLE -> control.enable(name);
                            case BITMAP_DISABLE -> control.disable(name);
                            default -> control.merge(name, control, SequencePlan.FIRST);
                        });
    }

    private void rename(String backing) throws IOException {
        try (ChannelImageFile image =
                ChannelImageFile.open(folder.resolve(SpecImage.IMAGE), true)) {
            BackingChange.prepare(image, backing, "raw").write();
        }
    }

    /** Something that is done to the files. */
    interface Work {
        void run() throws IOException;
    }

    XlatorFile file() {
        return file;
    }

    /** Whether there may be counts that are too high, as the image says. */
    boolean isMarked() {
        return ImageFixture.isMarked(brick.content(SpecImage.IMAGE));
    }

    /** By the autoclear bit, where the header had no room: QEMU does not know it. */
    private boolean isMarkedByABit() {
        return brick.content(SpecImage.IMAGE)[AUTOCLEAR_BYTE] < 0;
    }

    /** Whether it is marked so once it has been closed; it is open again then. */
    boolean wouldBeMarkedByABit() {
        close();
        boolean marked = isMarkedByABit();
        reopen();
        return marked;
    }

    /** Closes it, has it as the process of that moment would have left it, and opens it again. */
    void reopenAs(byte[] left) {
        close();
        brick.put(SpecImage.IMAGE, left);
        reopen();
    }

    void reopen() {
        file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
    }

    void put(String name, byte[] content) {
        brick.put(name, content);
    }

    void remove(String name) {
        images.loops.await(brick.remove(name));
    }

    /** Its bytes at the moment. */
    byte[] bytes() {
        return brick.content(SpecImage.IMAGE);
    }

    void betweenSessions(Work work) throws IOException {
        close();
        markLost |= spec.version() == 3 && isMarkedByABit();
        export();
        work.run();
        try (var files = Files.list(folder)) {
            for (Path path : files.toList()) {
                brick.put(String.valueOf(path.getFileName()), Files.readAllBytes(path));
            }
        }
        file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
    }

    /** Compares all that can be read with the model. */
    void check(ModelDisk model) {
        drain();
        model.checkContent(driver());
        model.checkStatus(driver(), 0, model.sizeBytes());
    }

    /** What a snapshot reads as. */
    byte[] snapshot(String name) {
        XlatorFile snapshot = images.open(SpecImage.IMAGE + "@" + name, OpenMode.READ_ONLY);
        byte[] content = images.driver(snapshot).read(0, (int) snapshot.geometry().sizeBytes());
        images.close(snapshot);
        return content;
    }

    void close() {
        drain();
        images.close(file);
    }

    /** Puts the closed files into the folder. */
    void export() throws IOException {
        for (FileInfo info : images.loops.await(brick.list())) {
            Files.write(folder.resolve(info.fileName()), brick.content(info.fileName()));
        }
    }

    /** A brick without holes. */
    private static final class NoDiscard extends PassThroughXlator {
        NoDiscard(Xlator below) {
            super("no-discard", "testkit/no-discard", below);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return subvolume().open(fileName, options, loop).thenApply(NoDiscardFile::new);
        }
    }

    private static final class NoDiscardFile extends PassThroughFile {
        NoDiscardFile(XlatorFile below) {
            super(below);
        }

        @Override
        public Capabilities capabilities() {
            Capabilities all = below().capabilities();
            return all.without(Capability.DISCARD)
                    .without(Capability.FAST_ZERO)
                    .without(Capability.WRITE_COMPRESSED);
        }
    }
}
