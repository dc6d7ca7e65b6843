package io.quoin.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code --snapshots}. */
@Timeout(300)
class SnapshotComparisonTest {
    @TempDir Path folder;

    private final CompareRun compare = new CompareRun();

    @Test
    @Tag("e2e")
    void shouldMeasureSnapshotsWhenRunShortly() throws Exception {
        Peer.assumeAll(Peer.FIO, Peer.QEMU_SYSTEM, Peer.QEMU_IMG);

        int exitCode =
                compare.run(
                        folder,
                        "--snapshots",
                        "--rows=cut-64g,clones,diff",
                        "--disks=4",
                        "--rounds=1",
                        "--seconds=1",
                        "--size=64",
                        "--output=json");

        assertThat(exitCode).as(compare.err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(compare.out.toString());
        assertThat(report.get("scenarios")).hasSize(3);
        for (JsonNode scenario : report.get("scenarios")) {
            assertThat(scenario.get("medians").isEmpty()).as(scenario.toString()).isFalse();
        }
        JsonNode clones = report.at("/scenarios/1/medians");
        assertThat(clones.at("/errors of the busy ones/quoin").asDouble(-1)).isZero();
        assertThat(report.at("/scenarios/2/medians/MiB that differ/quoin").asDouble())
                .isEqualTo(64);
        assertThat(folder).isEmptyDirectory();
    }
}
