package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.matrix.ImageSpec.Backing;
import io.quoin.qcow2.matrix.ImageSpec.DataFile;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same random operations carried out by Quoin, by qemu-io on a copy, and by a model in memory:
 * all three have the same content in the end. {@code -Dquoin.sequences=N} takes N sequences.
 */
@Timeout(7200)
class SequenceTest {
    private static final int SEQUENCES = Integer.getInteger("quoin.sequences", 100);
    private static final int STEPS = 25;

    @TempDir Path folder;

    /** What a step does; RESIZE is to {@code length}. */
    enum Kind {
        WRITE,
        ZERO,
        UNMAP,
        DISCARD,
        COMPRESSED,
        FLUSH,
        REOPEN,
        RESIZE
    }

    /** One of a sequence, with the byte that a write repeats. */
    record Step(Kind kind, int offset, int length, int stamp) {}

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    @Test
    @DisplayName("QCOW2 136, 137, 146: random sequences end in the same content as by qemu-io")
    void shouldHaveTheContentOfModelAndQemuWhenStepsAreRandom() throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("sequences: seed=" + seed + ", count=" + SEQUENCES);
        for (int i = 0; i < SEQUENCES; i++) {
            ImageSpec spec = ImageSpec.random(new Random(seed + i));
            List<Step> steps = steps(spec, new Random(seed + i));
            try {
                run(spec, seed + i, steps);
            } catch (AssertionError | RuntimeException e) {
                List<Step> fewer = shrink(spec, seed + i, steps);
                throw new AssertionError(
                        spec + ", -Dquoin.seed=" + (seed + i) + " -Dquoin.sequences=1: " + fewer,
                        e);
            }
        }
    }

    private List<Step> steps(ImageSpec spec, Random random) {
        List<Step> steps = new ArrayList<>();
        int size = spec.sizeBytes();
        for (int i = 0; i < STEPS; i++) {
            int offset = random.nextInt(size / 512) * 512;
            int most = Math.min(size - offset, size / 6);
            int length = (1 + random.nextInt(Math.max(1, most / 512))) * 512;
            Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
            if (kind == Kind.RESIZE && (random.nextInt(3) > 0 || spec.bitmaps())) {
                kind = Kind.WRITE;
            }
            if (kind == Kind.COMPRESSED && spec.dataFile() != DataFile.NONE) {
                kind = Kind.WRITE;
            }
            if (kind == Kind.RESIZE) {
                size += (1 + random.nextInt(size / 2048)) * 512;
                length = size;
            }
            steps.add(new Step(kind, offset, length, 1 + random.nextInt(255)));
        }
        return steps;
    }

    private void run(ImageSpec spec, long seed, List<Step> steps) throws IOException {
        SpecImage made = SpecImage.create(folder, spec, seed);
        MemoryXlator brick = new MemoryXlator("brick");
        for (String name : made.files()) {
            brick.put(name, Files.readAllBytes(folder.resolve(name)));
        }
        QemuIo qemu = new QemuIo(folder, SpecImage.IMAGE);
        ImageFixture images = new ImageFixture(folder, brick, Map.of());
        XlatorFile file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
        for (Step step : steps) {
            if (step.kind == Kind.REOPEN) {
                images.close(file);
                file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
                qemu.add("reopen");
                continue;
            }
            apply(images, file, made.model, spec, step);
            translate(qemu, spec, made.model, step);
        }
        made.model.checkContent(images.driver(file));
        images.close(file);
        qemu.run();
        byte[] expected = made.model.content(0, made.model.sizeBytes());
        assertThat(Arrays.equals(qemuContent(), expected)).as("qemu-io as the model").isTrue();
        for (String name : made.files()) {
            Files.write(folder.resolve(name), brick.content(name));
        }
        PeerResult check = Peer.QEMU_IMG.command("check", SpecImage.IMAGE).directory(folder).run();
        assertThat(check.exitCode()).as("%s", check).isZero();
        assertThat(Arrays.equals(qemuContent(), expected)).as("Quoin's as QEMU reads it").isTrue();
    }

    private static void apply(
            ImageFixture images, XlatorFile file, ModelDisk model, ImageSpec spec, Step step) {
        FileDriver driver = images.driver(file);
        byte[] data = new byte[step.kind == Kind.RESIZE ? 0 : step.length];
        Arrays.fill(data, (byte) step.stamp);
        BlockError error = BlockError.OK;
        switch (step.kind) {
            case WRITE -> error = driver.write(step.offset, data, IoFlags.NONE);
            case COMPRESSED -> {
                int from = up(step.offset, spec.clusterSize());
                int to = (step.offset + step.length) / spec.clusterSize() * spec.clusterSize();
                if (from < to) {
                    byte[] whole = Arrays.copyOf(data, to - from);
                    error = driver.write(from, whole, IoFlags.COMPRESSED);
                }
                error = error.isOk() ? driver.write(step.offset, data, IoFlags.NONE) : error;
            }
            case ZERO -> error = driver.zero(step.offset, step.length, IoFlags.NONE);
            case UNMAP -> error = driver.zero(step.offset, step.length, IoFlags.MAY_UNMAP);
            case DISCARD -> error = driver.discard(step.offset, step.length);
            case RESIZE -> {
                images.loops.await(images.loops.loop(0).call(() -> file.resize(step.length)));
                model.resize(step.length);
            }
            default -> error = driver.flush();
        }
        assertThat(error).as("%s", step).isEqualTo(BlockError.OK);
        if (step.kind == Kind.WRITE || step.kind == Kind.COMPRESSED) {
            model.write(step.offset, data);
        } else if (data.length > 0 && step.kind != Kind.FLUSH) {
            model.zero(step.offset, step.length);
        }
    }

    /** QEMU leaves the ends of a discard alone; there it is told to write zeros. */
    private static void translate(QemuIo qemu, ImageSpec spec, ModelDisk model, Step step) {
        int end = step.offset + step.length;
        switch (step.kind) {
            case WRITE, COMPRESSED -> qemu.add("write -P " + step.stamp, step.offset, step.length);
            case ZERO -> qemu.add("write -z", step.offset, step.length);
            case UNMAP -> qemu.add("write -z -u", step.offset, step.length);
            case DISCARD -> {
                int from = up(step.offset, spec.clusterSize());
                int to =
                        end == model.sizeBytes()
                                ? end
                                : end / spec.clusterSize() * spec.clusterSize();
                boolean none = spec.version() == 2 && spec.backing() != Backing.NONE;
                if (from >= to || none) {
                    qemu.add("write -z", step.offset, step.length);
                    return;
                }
                qemu.add("discard", from, (long) to - from);
                if (step.offset < from) {
                    qemu.add("write -z", step.offset, (long) from - step.offset);
                }
                if (to < end) {
                    qemu.add("write -z", to, (long) end - to);
                }
            }
            case RESIZE -> qemu.add("truncate " + step.length);
            default -> qemu.add("flush");
        }
    }

    private static int up(int offset, int unit) {
        return (offset + unit - 1) / unit * unit;
    }

    /** Leaves out steps as long as it still fails. */
    private List<Step> shrink(ImageSpec spec, long seed, List<Step> steps) {
        List<Step> left = new ArrayList<>(steps);
        for (int i = left.size() - 1; i >= 0; i--) {
            if (left.get(i).kind == Kind.RESIZE) {
                continue; // the ranges of later steps depend on it
            }
            List<Step> fewer = new ArrayList<>(left);
            fewer.remove(i);
            try {
                run(spec, seed, fewer);
            } catch (AssertionError | RuntimeException | IOException e) {
                left = fewer;
            }
        }
        return left;
    }

    private byte[] qemuContent() throws IOException {
        Peer.QEMU_IMG
                .command("convert", "-f", "qcow2", "-O", "raw", SpecImage.IMAGE, "out.raw")
                .directory(folder)
                .runOk();
        return Files.readAllBytes(folder.resolve("out.raw"));
    }
}
