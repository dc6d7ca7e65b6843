package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

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
    private static final int SEQUENCES = Integer.getInteger("quoin.sequences", 30);
    private static final int STEPS = 25;

    @TempDir Path folder;

    private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    private final SequenceJudge judge = new SequenceJudge();
    private int snapshots;

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
                long own = seed + i;
                List<SequenceStep> fewer =
                        SequenceReduction.leaveOut(steps, left -> run(spec, own, left));
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
                        + judge.bitmaps);
    }

    private void run(ImageSpec spec, long seed, List<SequenceStep> steps) throws IOException {
        Path theirs = SpecImage.emptyFolder(folder.resolve("theirs"));
        Path ours = SpecImage.emptyFolder(folder.resolve("ours"));
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
        judge.compare("qemu-io as the model", theirs, model);
        judge.compare("Quoin's as QEMU reads it", ours, model);
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
}
