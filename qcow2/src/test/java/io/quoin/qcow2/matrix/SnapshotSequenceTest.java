package io.quoin.qcow2.matrix;

import io.quoin.qcow2.matrix.ImageSpec.Backing;
import io.quoin.qcow2.matrix.SequenceStep.Kind;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random steps with snapshots: made, renamed, deleted and rolled back to by Quoin beside requests,
 * stopped, cut off by a close or killed; by QEMU between; with overlays, checks, repairs and
 * resizes. Disk and snapshots are those of a model, for Quoin and for QEMU, and {@code qemu-img
 * check} is clean. {@code -Dquoin.sequences=N} takes N sequences.
 */
@Timeout(14_400)
class SnapshotSequenceTest {
    private static final int SEQUENCES = Integer.getInteger("quoin.sequences", 60);
    private static final int STEPS = 30;
    private static final int STEPS_BETWEEN_LOOKS = 10;
    private static final int CLUSTER_OFTEN = 1 << 16;

    @TempDir Path folder;

    private final SequenceJudge judge = new SequenceJudge();
    private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    @Test
    void shouldHaveTheDiskAndSnapshotsOfTheModelWhenStepsAreRandom() throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("snapshot sequences: seed=" + seed + ", count=" + SEQUENCES);
        for (int i = 0; i < SEQUENCES; i++) {
            ImageSpec spec = spec(new Random(seed + i));
            List<SequenceStep> steps =
                    SequencePlan.drawSnapshots(spec, new Random(seed + i), STEPS);
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
        }
        System.out.println("snapshot sequences: steps=" + counts);
    }

    private void run(ImageSpec spec, long seed, List<SequenceStep> steps) throws IOException {
        Path ours = SpecImage.emptyFolder(folder.resolve("ours"));
        SpecImage made = SpecImage.create(ours, spec, seed);
        SequenceModel model = new SequenceModel(made.model, spec.backing() != Backing.NONE);
        QuoinSide quoin = new QuoinSide(ours, made.files(), spec, seed);
        SnapshotSide side = new SnapshotSide(ours, spec, quoin, model, seed);
        int number = 0;
        for (SequenceStep step : steps) {
            if (side.apply(step)) {
                counts.merge(step.kind(), 1, Integer::sum);
            }
            if (++number % STEPS_BETWEEN_LOOKS == 0) {
                side.checkByQemu();
            } else if (step.kind() == Kind.REOPEN) {
                side.check();
            }
        }
        side.checkByQemu();
        quoin.close();
        judge.compare("Quoin's as QEMU reads it", ours, model);
    }

    /** Large clusters make large images: seldom. */
    private static ImageSpec spec(Random random) {
        boolean large = random.nextInt(30) == 0;
        ImageSpec spec;
        do {
            spec = ImageSpec.random(random);
        } while (!spec.snapshots() || (spec.clusterSize() > CLUSTER_OFTEN && !large));
        return spec;
    }
}
