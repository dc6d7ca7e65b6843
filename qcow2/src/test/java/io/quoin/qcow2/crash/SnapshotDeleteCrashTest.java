package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.crash.SnapshotRun.Scenario;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every crash point of snapshots that are deleted under writes: what was flushed is in the disk, a
 * snapshot that the table has is whole, the image has leaks and differences of COPIED at worst, and
 * none once it has been served again. {@code -Dquoin.crash.rounds=N} goes through all N times, each
 * change followed by a crash.
 */
@Tag("format")
@Timeout(3600)
class SnapshotDeleteCrashTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);
    private static final int EVERY = Integer.MAX_VALUE;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DELETE | cluster_size=512",
                "DELETE | cluster_size=512,compat=0.10",
                "DELETE | cluster_size=4k,lazy_refcounts=on",
                "DELETE | cluster_size=16k,extended_l2=on",
                "STOP | cluster_size=512",
                "STOP | cluster_size=4k",
                "AGAIN | cluster_size=512",
                "AGAIN | cluster_size=4k,refcount_bits=4",
            })
    void shouldHaveAllOfASnapshotOrNothingWhenItCrashesAnywhere(Scenario scenario, String options)
            throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        long first = RandomOperations.seed();
        for (int round = 0; round < Math.max(1, ROUNDS); round++) {
            long seed = first + round;
            SnapshotRun run = new SnapshotRun(folder, options, seed, false);
            SnapshotJudge judge =
                    ROUNDS > 0 ? run.run(scenario, EVERY, 3) : run.run(scenario, 10, 1);
            System.out.println(
                    "snapshot delete crash: "
                            + scenario
                            + ", "
                            + options
                            + ", seed="
                            + seed
                            + ", states="
                            + judge.states
                            + ", not clean="
                            + judge.unclean
                            + ", walked="
                            + judge.reclaimed);
            assertThat(judge.findings.stream().limit(3))
                    .as("%s, %s, repeat with -Dquoin.seed=%d", scenario, options, seed)
                    .isEmpty();
            assertThat(judge.states).isGreaterThan(8);
            assertThat(judge.unclean > 0).as("not clean").isEqualTo(!options.contains("lazy"));
            if (!options.contains("lazy")) { // rebuilt when dirty, at times all that is seen
                assertThat(judge.reclaimed > 0).as("walked").isEqualTo(!options.contains("0.10"));
            }
        }
    }

    /** The judge must be able to see a loss: this file says that it has flushed, and has not. */
    @Test
    @LogsErrors("image is corrupt: ")
    void shouldSeeTheLossWhenAFileLiesAboutFlush() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        long seed = RandomOperations.seed();
        SnapshotRun run = new SnapshotRun(folder, "cluster_size=4k", seed, true);
        SnapshotJudge judge = run.run(Scenario.AGAIN, 15, 1);
        assertThat(judge.findings)
                .as("seed=%d", seed)
                .anyMatch(finding -> finding.contains("snapshots are lost: "))
                .anyMatch(finding -> finding.contains("qemu-img check: "))
                .anyMatch(finding -> finding.contains("flushed is "));
    }
}
