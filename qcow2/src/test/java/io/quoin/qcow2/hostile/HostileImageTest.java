package io.quoin.qcow2.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import io.quoin.block.BlockError;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.hostile.Entrances.Report;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Malformed images, each through every entrance: a refusal or an error that is clean, within two
 * seconds of work and 64 MiB of memory, and no write to what is refused or only read.
 */
@Timeout(400)
@LogsErrors("image is corrupt: ")
class HostileImageTest {
    private static final long CPU_NANOS_MAX = TimeUnit.SECONDS.toNanos(2);
    private static final long MEMORY_BYTES_MAX = 64 << 20;

    /** The default of cache-size, which an open image may fill. */
    private static final long CACHE_BYTES = 32 << 20;

    private static final int HANG_SECONDS = 30;
    private static final long COMPARED_BYTES_MAX = 64 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir Path folder;

    static List<HostileImage> images() {
        return Gallery.all();
    }

    @Test
    void shouldHaveAnImageForEachLimitAndAttack() {
        System.out.println("hostile images: " + images().size());
        assertThat(images()).hasSizeGreaterThanOrEqualTo(200);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("images")
    @DisplayName("QCOW2 148, 151, 152: hostile images end cleanly, in bounds of work and memory")
    void shouldEndCleanlyWhenImageIsHostile(HostileImage hostile) throws Exception {
        SmallImage image = hostile.image().get();
        byte[] bytes = image.toArray();
        try (Entrances entrances = new Entrances(folder)) {
            use(hostile, image, bytes, entrances);
        }
    }

    private void use(HostileImage hostile, SmallImage image, byte[] bytes, Entrances entrances)
            throws Exception {
        entrances.install(image);
        Map<String, byte[]> neighbours = entrances.neighbours();
        MemoryImageFile file = new MemoryImageFile(bytes, image.fileSize());
        Report info = bounded("info", 0, () -> Entrances.describe(file));
        Report check = bounded("check", 0, () -> Entrances.check(file));
        Report map = bounded("map", 0, () -> entrances.map(file));
        assertThat(file.changes()).as("changes by offline looks").isZero();
        Report reader = bounded("read-only", CACHE_BYTES, entrances::readOnly);
        Report snapshot = bounded("snapshot", CACHE_BYTES, entrances::snapshot);
        assertUnchanged(entrances, image, "opened read-only");
        Report writer = bounded("read-write", CACHE_BYTES, entrances::readWrite);
        // Of a dirty one the refcounts are rebuilt, which may come before the refusal.
        if (!writer.opened() && !isDirty(bytes)) {
            assertUnchanged(entrances, image, "refused");
        }
        // A data file is written as the image is.
        neighbours.remove(image.dataFile);
        Map<String, byte[]> after = entrances.neighbours();
        neighbours.forEach((name, content) -> assertThat(after.get(name)).isEqualTo(content));
        for (Report report : List.of(info, check, map, reader, snapshot, writer)) {
            assertThat(report.message()).doesNotContain(SmallImage.SECRET);
            assertThat(report.opened() || report.message().contains(": "))
                    .as("refused with a reason: %s", report.message())
                    .isTrue();
        }
        switch (hostile.verdict()) {
            case REFUSED -> {
                for (Report report : List.of(info, map, reader, writer)) {
                    assertRefused(report, hostile.says());
                }
                // A refcount table that is nowhere can be made anew: a check says so, and goes on.
                assertThat(check.message()).contains(hostile.says());
                assertThat(check.opened()).isEqualTo(check.message().startsWith("ERROR "));
            }
            case NOT_SERVED -> {
                assertRefused(reader, hostile.says());
                assertRefused(writer, hostile.says());
            }
            case READ_ONLY -> {
                assertThat(reader.opened()).as(reader.message()).isTrue();
                assertRefused(writer, hostile.says());
            }
            case UNREADABLE -> {
                assertThat(reader.opened()).as(reader.message()).isTrue();
                assertThat(reader.reads()).contains(BlockError.EIO);
            }
            case UNWRITABLE -> {
                assertThat(writer.opened()).as(writer.message()).isTrue();
                assertThat(writer.writes()).contains(BlockError.EIO);
                assertThat(incompatible(entrances) & 2).as("corrupt bit").isEqualTo(2);
            }
            case SERVED -> assertServed(entrances, reader, writer);
            case FOUND -> {
                for (Report report : List.of(reader, writer)) {
                    assertThat(report.opened()).as(report.message()).isTrue();
                    assertThat(report.reads()).as(report.message()).isEmpty();
                    assertThat(report.writes()).as(report.message()).isEmpty();
                }
                assertThat(check.message()).contains(hostile.says());
            }
        }
    }

    /** One virtual machine for all of them, that has no more memory than they may take. */
    @Test
    @DisplayName("QCOW2 148: all hostile images together in a heap that one of them may fill")
    void shouldFindEnoughMemoryWhenTheMachineHasLittle() {
        PeerResult result =
                PeerCommand.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "@" + System.getProperty("quoin.root") + "/bin/jvm.options",
                                "-Xmx" + ((MEMORY_BYTES_MAX + CACHE_BYTES) >> 20) + "m",
                                "-XX:MaxDirectMemorySize="
                                        + ((MEMORY_BYTES_MAX + CACHE_BYTES) >> 20)
                                        + "m",
                                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                                "-cp",
                                System.getProperty("java.class.path"),
                                HostileRun.class.getName(),
                                folder.toString())
                        .deadline(Duration.ofMinutes(5))
                        .runOk();
        assertThat(result.stdout()).contains("images=" + images().size());
        System.out.print("hostile images in little memory: " + result.stdout());
    }

    private static void assertRefused(Report report, String says) {
        assertThat(report.opened()).as("opened: %s", report).isFalse();
        assertThat(report.message()).contains(says);
    }

    private static void assertServed(Entrances entrances, Report reader, Report writer) {
        for (Report report : List.of(reader, writer)) {
            assertThat(report.opened()).as(report.message()).isTrue();
            assertThat(report.reads()).as(report.message()).isEmpty();
            assertThat(report.writes()).as(report.message()).isEmpty();
        }
        byte[] after = entrances.brick().content(Entrances.IMAGE);
        CheckResult result =
                Qcow2Check.check(
                        new MemoryImageFile(after, after.length),
                        RepairMode.NONE,
                        CheckListener.SILENT);
        assertThat(result.isClean()).as("%s", result).isTrue();
    }

    private static boolean isDirty(byte[] image) {
        return image.length >= 80 && (image[79] & 1) != 0;
    }

    private static long incompatible(Entrances entrances) {
        return ByteBuffer.wrap(entrances.brick().content(Entrances.IMAGE)).getLong(72);
    }

    private static void assertUnchanged(Entrances entrances, SmallImage image, String what) {
        assertThat(entrances.brick().isUnflushed(Entrances.IMAGE)).as(what).isFalse();
        if (image.fileSize() <= COMPARED_BYTES_MAX) {
            byte[] after = entrances.brick().content(Entrances.IMAGE);
            assertThat(after.length).as(what).isEqualTo((int) image.fileSize());
            byte[] before = image.toArray();
            assertThat(java.util.Arrays.mismatch(before, 0, before.length, after, 0, before.length))
                    .as("first changed byte of an image that was " + what)
                    .isEqualTo(-1);
        }
    }

    /** Does {@code work} on a thread of its own, whose use of processor and memory is held down. */
    private static Report bounded(String what, long cacheBytes, Callable<Report> work)
            throws Exception {
        long[] used = new long[2];
        FutureTask<Report> task =
                new FutureTask<>(
                        () -> {
                            long thread = Thread.currentThread().getId();
                            long cpu = THREADS.getCurrentThreadCpuTime();
                            long heap = THREADS.getThreadAllocatedBytes(thread);
                            long direct = directBytes();
                            Report report = work.call();
                            used[0] = THREADS.getCurrentThreadCpuTime() - cpu;
                            used[1] =
                                    THREADS.getThreadAllocatedBytes(thread)
                                            - heap
                                            + Math.max(0, directBytes() - direct);
                            return report;
                        });
        Thread thread = new Thread(task, "hostile " + what);
        thread.setDaemon(true);
        thread.start();
        try {
            Report report = task.get(HANG_SECONDS, TimeUnit.SECONDS);
            assertThat(used[0]).as(what + ": processor time").isLessThan(CPU_NANOS_MAX);
            assertThat(used[1]).as(what + ": memory").isLessThan(MEMORY_BYTES_MAX + cacheBytes);
            return report;
        } catch (TimeoutException e) {
            return fail(what + " hangs at " + List.of(thread.getStackTrace()));
        } catch (ExecutionException e) {
            throw new AssertionError(what + " ends in " + e.getCause(), e.getCause());
        }
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
