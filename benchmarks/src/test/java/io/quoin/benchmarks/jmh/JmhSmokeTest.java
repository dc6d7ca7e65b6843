package io.quoin.benchmarks.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs every benchmark for a moment, in this JVM: that it works, not how fast. */
@Timeout(120)
class JmhSmokeTest {
    @Test
    void shouldGiveAScoreWhenEachBenchmarkRunsOnce() throws Exception {
        Options options =
                new OptionsBuilder()
                        .include("^io\\.quoin\\.benchmarks\\.jmh\\.")
                        .forks(0)
                        .warmupIterations(0)
                        .measurementIterations(1)
                        .measurementTime(TimeValue.milliseconds(10))
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build();
        Collection<RunResult> results = new Runner(options).run();
        assertThat(results).hasSizeGreaterThanOrEqualTo(24);
        assertThat(results)
                .allSatisfy(
                        result -> assertThat(result.getPrimaryResult().getScore()).isPositive());
        assertThat(JmhMain.table(results))
                .contains("| RingBenchmark.drainEach |  | ")
                .contains("| RequestBenchmark.frames | layers=10 | ")
                .contains("| GraphBenchmark.read | graph=io-stats | ")
                .contains("| NbdBenchmark.writes | replies=structured | ")
                .contains("| PosixBenchmark.readByBrick |  | ")
                .contains("| Qcow2Benchmark.lookUp |  | ");
    }
}
