package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.crash.CrashJudge.Finding;
import io.quoin.qcow2.crash.CrashJudge.Loss;
import io.quoin.qcow2.crash.Workload.Before;
import io.quoin.qcow2.crash.Workload.Mix;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every crash point of a run: what was flushed is there, what was not is old or new sector by
 * sector, the image has leaks at worst, and a repair makes it clean. {@code -Dquoin.crash.rounds=N}
 * goes through all workloads N times, each change followed by a crash; {@code
 * -Dquoin.crash.workload=NAME} through one.
 */
@Tag("format")
@Timeout(3600)
class CrashTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);

    private static final String ONLY = System.getProperty("quoin.crash.workload", "");
    private static final int EVERY = Integer.MAX_VALUE;

    @TempDir Path folder;

    private static int states;
    private static int leaky;
    private static int dirty;
    private static int judgedByQemu;
    private static int snapshots;
    private static int validBitmaps;
    private static int staleBitmaps;

    static List<Workload> workloads() {
        return List.of(
                Workload.of("tiny clusters", 512, "", 100_000),
                Workload.of("tiny clusters, version 2, backing", 512, "compat=0.10", 100_000)
                        .backed(),
                Workload.of("overwrite in place", 4096, "", 100_000).mixed(Mix.WRITES),
                Workload.of("4K, backing", 4096, "", 400_000).backed(),
                Workload.of("4K, version 2", 4096, "compat=0.10", 400_000),
                Workload.of("64K", 65536, "", 1_500_000),
                Workload.of("64K, backing, zeroes and discards", 65536, "", 1_500_000)
                        .backed()
                        .mixed(Mix.DISCARDS),
                Workload.of("1 bit", 512, "refcount_bits=1", 200_000),
                Workload.of("64 bits", 4096, "refcount_bits=64", 200_000),
                Workload.of("grow: L1 table moves", 512, "", 60_000)
                        .resized(100_352, 1_000_448, 2_200_064),
                Workload.of("grow: refcount table moves", 512, "refcount_bits=64", 1_600_000)
                        .resized(2_000_384, 2_600_448)
                        .mixed(Mix.WRITES),
                Workload.of("compressed, tiny clusters, 2 bits", 512, "refcount_bits=2", 100_000)
                        .mixed(Mix.COMPRESSED),
                Workload.of("compressed, 4K, backing", 4096, "", 400_000)
                        .backed()
                        .mixed(Mix.COMPRESSED),
                Workload.of("compressed, 64K, zstd", 65536, "compression_type=zstd", 1_500_000)
                        .mixed(Mix.COMPRESSED),
                Workload.of("compressed by QEMU, 4K", 4096, "", 400_000)
                        .after(Before.COMPRESS)
                        .mixed(Mix.COMPRESSED),
                Workload.of("shrink and grow", 512, "", 300_032)
                        .resized(100_352, 250_368, 30_208, 200_192),
                Workload.of("shrink and grow, 4K, backing", 4096, "", 1_000_448)
                        .backed()
                        .resized(100_352, 600_064, 4_608, 200_192),
                Workload.of("lazy refcounts, tiny clusters", 512, "lazy_refcounts=on", 100_000),
                Workload.of("lazy refcounts, 4K, backing", 4096, "lazy_refcounts=on", 400_000)
                        .backed(),
                Workload.of("snapshot, tiny clusters", 512, "", 100_000).after(Before.SNAPSHOT),
                Workload.of("snapshot", 4096, "", 400_000).after(Before.SNAPSHOT),
                Workload.of("lazy refcounts", 4096, "lazy_refcounts=on", 300_000),
                Workload.of("lazy refcounts, tiny clusters", 512, "lazy_refcounts=on", 100_000)
                        .backed(),
                Workload.of("extended L2", 16384, "extended_l2=on", 500_000),
                Workload.of("extended L2, backing, snapshot", 16384, "extended_l2=on", 500_000)
                        .backed()
                        .after(Before.SNAPSHOT),
                Workload.of("compressed", 4096, "compression_type=zlib", 300_000)
                        .after(Before.COMPRESS),
                Workload.of("compressed writes", 4096, "compression_type=zstd", 300_000)
                        .after(Before.COMPRESS)
                        .mixed(Mix.COMPRESSED),
                Workload.of("compressed writes, extended L2", 16384, "extended_l2=on", 400_000)
                        .mixed(Mix.COMPRESSED),
                Workload.of("compressed writes, 1 bit", 4096, "refcount_bits=1", 300_000)
                        .mixed(Mix.COMPRESSED),
                Workload.of("data file", 4096, "data_file=disk.data", 300_000),
                Workload.of(
                        "data file, raw", 4096, "data_file=disk.data,data_file_raw=on", 300_000),
                Workload.of("bitmap", 4096, "", 300_000).after(Before.BITMAP),
                Workload.of("bitmap, tiny clusters", 512, "compat=1.1", 100_000)
                        .after(Before.BITMAP),
                Workload.of("bitmap, shrink and grow", 512, "compat=1.1", 200_192)
                        .after(Before.BITMAP)
                        .resized(100_352, 250_368),
                Workload.of("snapshot, shrink and grow", 4096, "", 400_384)
                        .after(Before.SNAPSHOT)
                        .resized(200_192, 600_064));
    }

    @ParameterizedTest
    @MethodSource("workloads")
    @DisplayName("QCOW2 63, 79, 119-124, 132: what was flushed survives any crash")
    void shouldLoseNothingFlushedWhenItCrashesAnywhere(Workload workload) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        Assumptions.assumeTrue(workload.name().contains(ONLY));
        long seed = RandomOperations.seed();
        for (int round = 0; round < Math.max(1, ROUNDS); round++) {
            Before more = more(workload, seed + round);
            CrashRun run = new CrashRun(folder, workload, more, seed + round, false);
            CrashJudge judge = ROUNDS > 0 ? run.run(EVERY, 3, 20) : run.run(20, 1, 25);
            states += judge.states;
            leaky += judge.leaky;
            dirty += judge.dirty;
            judgedByQemu += judge.judgedByQemu;
            snapshots += judge.kept.snapshots;
            validBitmaps += judge.kept.validBitmaps;
            staleBitmaps += judge.kept.staleBitmaps;
            System.out.println(
                    "crash: "
                            + workload
                            + ", also="
                            + more
                            + ", seed="
                            + (seed + round)
                            + ", states="
                            + judge.states);
            judge.findings.stream().limit(3).forEach(System.out::println);
            assertThat(judge.findings)
                    .as("%s, repeat with -Dquoin.seed=%d", workload, seed + round)
                    .isEmpty();
            assertThat(judge.states).isPositive();
        }
    }

    /** By turns nothing, a bitmap or a snapshot more, whatever the workload is of. */
    private static Before more(Workload workload, long seed) {
        Before wanted =
                List.of(Before.NOTHING, Before.BITMAP, Before.SNAPSHOT)
                        .get((int) Math.floorMod(seed + workload.name().hashCode(), 3L));
        return workload.allows(wanted) ? wanted : Before.NOTHING;
    }

    /** The judge must be able to see a loss: this file says that it has flushed, and has not. */
    @Test
    @DisplayName("QCOW2 132: the judge sees the loss of a file that lies about flush")
    @LogsErrors("image is corrupt: ")
    void shouldSeeTheLossWhenAFileLiesAboutFlush() throws IOException {
        Workload workload = Workload.of("lying", 4096, "", 200_000).steps(30);
        long seed = RandomOperations.seed();
        CrashJudge judge =
                new CrashRun(folder, workload, Before.NOTHING, seed, true).run(40, 2, EVERY);
        List<Loss> losses = judge.findings.stream().map(Finding::loss).distinct().toList();
        System.out.println(
                "crash, lying file: seed="
                        + seed
                        + ", states="
                        + judge.states
                        + ", losses="
                        + judge.findings.size());
        assertThat(losses).contains(Loss.METADATA, Loss.DATA);
    }

    /** And the loss of a mark. */
    @Test
    @DisplayName("QCOW2 118, 132: the judge sees the loss of marks of a file that lies about flush")
    @LogsErrors("image is corrupt: ")
    void shouldSeeTheLossOfMarksWhenAFileLiesAboutFlush() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        Workload workload = Workload.of("lying", 512, "", 100_000).steps(30);
        long seed = RandomOperations.seed();
        CrashRun run = new CrashRun(folder, workload, Before.BITMAP, seed, true);
        assertThat(run.run(80, 4, EVERY).findings)
                .as("seed=%d", seed)
                .anyMatch(finding -> finding.text().contains("lacks a mark"));
    }

    @AfterAll
    static void tell() {
        System.out.println(
                "crash: images="
                        + states
                        + ", with leaks="
                        + leaky
                        + ", dirty="
                        + dirty
                        + ", judged by qemu-img too="
                        + judgedByQemu
                        + ", with a snapshot="
                        + snapshots
                        + ", with a bitmap that is valid="
                        + validBitmaps
                        + ", not valid="
                        + staleBitmaps);
    }
}
