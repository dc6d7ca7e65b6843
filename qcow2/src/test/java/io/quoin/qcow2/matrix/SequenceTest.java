package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.BitmapsOnDisk;
import io.quoin.qcow2.matrix.ImageSpec.Backing;
import io.quoin.qcow2.matrix.SequenceStep.Kind;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same random steps carried out by Quoin, by qemu-io and qemu-img on a copy, and by a model in
 * memory: disk, snapshots and bitmaps are the same in the end. {@code -Dquoin.sequences=N} takes N
 * sequences.
 */
@Tag("format")
@Timeout(7200)
class SequenceTest {
    private static final int SEQUENCES = Integer.getInteger("quoin.sequences", 50);
    private static final int STEPS = 25;

    @TempDir Path folder;

    private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    private int snapshots;
    private int bitmaps;

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    @Test
    @DisplayName("QCOW2 92, 117, 136, 137, 139, 146: random sequences end as by qemu-io")
    void shouldHaveTheContentOfModelAndQemuWhenStepsAreRandom() throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("sequences: seed=" + seed + ", count=" + SEQUENCES);
        for (int i = 0; i < SEQUENCES; i++) {
            ImageSpec spec = ImageSpec.random(new Random(seed + i));
            int backing = SpecImage.backingBytes(spec, seed + i);
            List<SequenceStep> steps =
                    SequencePlan.draw(spec, backing, new Random(seed + i), STEPS);
            try {
                run(spec, seed + i, steps);
            } catch (AssertionError | RuntimeException e) {
                List<SequenceStep> fewer = leaveOut(spec, seed + i, steps);
                throw new AssertionError(
                        spec + ", -Dquoin.seed=" + (seed + i) + " -Dquoin.sequences=1: " + fewer,
                        e);
            }
            steps.forEach(step -> counts.merge(step.kind(), 1, Integer::sum));
        }
        System.out.println(
                "sequences: steps="
                        + counts
                        + ", compared snapshots="
                        + snapshots
                        + ", bitmaps="
                        + bitmaps);
    }

    private void run(ImageSpec spec, long seed, List<SequenceStep> steps) throws IOException {
        Path theirs = emptyFolder("theirs");
        Path ours = emptyFolder("ours");
        SpecImage made = SpecImage.create(theirs, spec, seed);
        byte[] other = new byte[(1 + new Random(seed).nextInt(spec.sizeBytes() / 512)) * 512];
        new Random(seed + 1).nextBytes(other);
        Files.write(theirs.resolve(QemuSide.OTHER), other);
        List<String> files = new ArrayList<>(made.files());
        files.add(QemuSide.OTHER);
        for (String name : files) {
            Files.copy(theirs.resolve(name), ours.resolve(name));
        }
        SequenceModel model = new SequenceModel(made.model, spec.backing() != Backing.NONE);
        QuoinSide quoin = new QuoinSide(ours, files, spec, seed);
        QemuSide qemu = new QemuSide(theirs, spec);
        for (SequenceStep step : steps) {
            if (step.kind() == Kind.REBASE_SAME) {
                qemu.finish();
                copyBacking(theirs, ours, step.name());
            }
            if (quoin.apply(step)) {
                qemu.add(step, model);
                model.apply(step);
            }
            if (step.kind() == Kind.REOPEN) {
                quoin.check(model.disk);
            }
        }
        quoin.check(model.disk);
        quoin.close();
        quoin.export();
        qemu.finish();
        PeerResult check = Peer.QEMU_IMG.command("check", SpecImage.IMAGE).directory(ours).run();
        assertThat(check.exitCode()).as("%s", check).isZero();
        compare("qemu-io as the model", theirs, model);
        compare("Quoin's as QEMU reads it", ours, model);
        for (Map.Entry<String, byte[]> snapshot : model.snapshots.entrySet()) {
            snapshots++;
            assertThat(Arrays.equals(quoin.snapshot(snapshot.getKey()), snapshot.getValue()))
                    .as("snapshot " + snapshot.getKey() + " as Quoin reads it")
                    .isTrue();
        }
    }

    /** The same content under another name, for both. */
    private static void copyBacking(Path theirs, Path ours, String name) throws IOException {
        String info =
                Peer.QEMU_IMG
                        .command("info", "--output=json", SpecImage.IMAGE)
                        .directory(theirs)
                        .runOk()
                        .stdout();
        String backing = info.replaceAll("(?s).*\"backing-filename\": \"([^\"]*)\".*", "$1");
        String format = backing.endsWith(".raw") ? "raw" : "qcow2";
        QemuSide.qemuImg(theirs, "convert", "-f", format, "-O", "raw", backing, name);
        Files.copy(theirs.resolve(name), ours.resolve(name));
    }

    private Path emptyFolder(String name) throws IOException {
        Path made = Files.createDirectories(folder.resolve(name));
        try (var files = Files.list(made)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        return made;
    }

    private void compare(String what, Path side, SequenceModel model) throws IOException {
        assertThat(Arrays.equals(QemuSide.content(side), model.content())).as(what).isTrue();
        for (Map.Entry<String, byte[]> snapshot : model.snapshots.entrySet()) {
            byte[] expected = snapshot.getValue();
            // QEMU gives it the size that the disk has now.
            byte[] actual = QemuSide.content(side, "-l", snapshot.getKey());
            int length = Math.min(actual.length, expected.length);
            assertThat(Arrays.equals(actual, 0, length, expected, 0, length))
                    .as(what + ": snapshot " + snapshot.getKey())
                    .isTrue();
        }
        Map<String, BitmapsOnDisk.Found> found =
                BitmapsOnDisk.read(Files.readAllBytes(side.resolve(SpecImage.IMAGE)));
        assertThat(found.keySet()).as(what).isEqualTo(model.bitmaps.keySet());
        model.bitmaps.forEach((name, bitmap) -> compare(what, name, bitmap, found, model));
    }

    private void compare(
            String what,
            String name,
            BitmapModel bitmap,
            Map<String, BitmapsOnDisk.Found> all,
            SequenceModel model) {
        bitmaps++;
        BitmapsOnDisk.Found found = all.get(name);
        String text = what + ": bitmap " + name + ": " + found + ", expected=" + bitmap;
        assertThat(found.inUse()).as(text).isFalse();
        assertThat(found.enabled()).as(text).isEqualTo(bitmap.enabled);
        assertThat(found.granularityBytes()).as(text).isEqualTo(bitmap.granularity);
        assertThat(bitmap.matches(found.bits(), model.disk.sizeBytes())).as(text).isTrue();
    }

    /** Leaves out steps as long as it still fails. */
    private List<SequenceStep> leaveOut(ImageSpec spec, long seed, List<SequenceStep> steps) {
        List<SequenceStep> left = new ArrayList<>(steps);
        for (int i = left.size() - 1; i >= 0; i--) {
            if (!left.get(i).kind().canBeLeftOut()) {
                continue;
            }
            List<SequenceStep> fewer = new ArrayList<>(left);
            fewer.remove(i);
            try {
                run(spec, seed, fewer);
            } catch (AssertionError | RuntimeException | IOException e) {
                left = fewer;
            }
        }
        return left;
    }
}
