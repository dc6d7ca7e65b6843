package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.crash.SnapshotRun.Scenario;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The crashes in which an error of order shows: of all that no flush has made stable one write
 * alone has reached the disk, or all but one. Always the same ones; {@code -Dquoin.crash.rounds=1}
 * judges all of them and not some.
 */
@Tag("format")
@Timeout(3600)
class SnapshotLoneWriteTest {
    private static final int STRIDE = Integer.getInteger("quoin.crash.rounds", 0) > 0 ? 1 : 25;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "AGAIN | cluster_size=512 | 1 | 60",
                "AGAIN | cluster_size=4k | 2 | 20",
                "STOP | cluster_size=4k | 3 | 4",
            })
    void shouldHaveAllOfASnapshotOrNothingWhenOneWriteIsAloneOrMissing(
            Scenario scenario, String options, long seed, int least) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        SnapshotRun run = new SnapshotRun(folder, options.strip(), seed, false);
        SnapshotJudge judge = run.runLone(scenario, STRIDE);
        System.out.println(
                "snapshot, lone writes: " + scenario + ", " + options + ", states=" + judge.states);
        assertThat(judge.findings.stream().limit(3)).as("%s, %s", scenario, options).isEmpty();
        assertThat(judge.states).isGreaterThan(least);
    }
}
