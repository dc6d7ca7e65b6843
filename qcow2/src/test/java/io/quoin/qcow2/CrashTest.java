package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.ImageFile;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every crash point of a run: what was flushed is there, what was not is old or new sector by
 * sector, and the image has leaks at worst.
 */
@Timeout(180)
class CrashTest {
    private static final int SECTOR = 512;
    private static final int QEMU_EVERY = 97;

    @TempDir Path folder;

    private byte[] flushed = {};
    private final List<long[]> since = new ArrayList<>();

    @ParameterizedTest
    @CsvSource({
        "512, 1.1, false, 200000, 90",
        "512, 0.10, true, 200000, 60",
        "4096, 1.1, true, 600000, 70",
        "4096, 0.10, false, 600000, 70",
        "65536, 1.1, false, 2000000, 50",
        "65536, 1.1, true, 2000000, 50",
    })
    void shouldLoseNothingFlushedWhenItCrashesAnywhere(
            int clusterSize, String compat, boolean backing, int size, int steps)
            throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("crash: seed=" + seed);
        MemoryXlator brick = new MemoryXlator("brick");
        CrashLog log = new CrashLog(brick, "disk.qcow2");
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", log, seed), Map.of());
        int sizeBytes = size / SECTOR * SECTOR;
        byte[] content = new byte[sizeBytes];
        Map<String, String> options = new HashMap<>();
        options.put("cluster_size", String.valueOf(clusterSize));
        options.put("compat", compat);
        byte[] base = new byte[sizeBytes / 2 / SECTOR * SECTOR];
        if (backing) {
            new Random(seed).nextBytes(base);
            System.arraycopy(base, 0, content, 0, base.length);
            brick.put("base.raw", base);
            images.export("base.raw");
            options.put("backing_file", "base.raw");
            options.put("backing_fmt", "raw");
        }
        images.create("disk.qcow2", sizeBytes, options);
        byte[] initial = brick.content("disk.qcow2");
        log.events.clear();
        run(images, log, content, steps, seed);
        replayAll(log, initial, base, backing, seed);
    }

    /** The L1 table moves in both, the refcount table in the second. */
    @ParameterizedTest
    @CsvSource({"60000, 4000000, 0", "9000000, 17000000, 7000064"})
    void shouldKeepEverythingWhenItCrashesWhileTablesGrow(int from, int to, int flushedBytes)
            throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("crash: seed=" + seed);
        MemoryXlator brick = new MemoryXlator("brick");
        CrashLog log = new CrashLog(brick, "disk.qcow2");
        ImageFixture images = new ImageFixture(folder, brick, log, Map.of());
        int oldSize = from / SECTOR * SECTOR;
        int newSize = to / SECTOR * SECTOR;
        images.create("disk.qcow2", oldSize, Map.of("cluster_size", "512"));
        XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] content = new byte[oldSize];
        Arrays.fill(content, 0, flushedBytes, (byte) 3);
        if (flushedBytes > 0) {
            driver.write(0, Arrays.copyOf(content, flushedBytes));
        }
        images.close(file);
        byte[] initial = brick.content("disk.qcow2");
        log.events.clear();
        XlatorFile again = images.open("disk.qcow2", OpenMode.READ_WRITE);
        driver = images.driver(again);
        log.mark(markFlushed(content.clone()));
        for (int at = flushedBytes; at < oldSize; at += 1 << 20) {
            int length = Math.min(1 << 20, oldSize - at);
            byte stamp = (byte) ((at >>> 20) | 1);
            Arrays.fill(content, at, at + length, stamp);
            long[] write = {at, length, stamp};
            log.mark(() -> since.add(write));
            driver.write(at, Arrays.copyOfRange(content, at, at + length));
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            log.mark(markFlushed(content.clone()));
        }
        images.loops.await(images.loops.loop(0).call(() -> again.resize(newSize)));
        log.mark(markFlushed(Arrays.copyOf(content, newSize)));
        driver.write(newSize - SECTOR, new byte[SECTOR]);
        images.close(again);
        replayAll(log, initial, new byte[0], false, seed);
    }

    /** Random sector writes, zeroes and discards in small groups, with flushes between. */
    private void run(ImageFixture images, CrashLog log, byte[] content, int steps, long seed) {
        Random random = new Random(seed);
        for (int session = 0; session < 2; session++) {
            XlatorFile file = images.open("disk.qcow2", OpenMode.READ_WRITE);
            FileDriver driver = images.driver(file);
            log.mark(markFlushed(content.clone()));
            for (int step = 0; step < steps; step++) {
                List<FileDriver.Pending> group = new ArrayList<>();
                int from = 0;
                for (int i = 0; i < 4 && from < content.length; i++) {
                    int offset = random.nextInt((content.length - from) / SECTOR) * SECTOR + from;
                    int most = Math.min(content.length - offset, content.length / 8);
                    int length = (random.nextInt(most / SECTOR) + 1) * SECTOR;
                    group.add(start(driver, log, content, offset, length, random));
                    from = offset + length;
                }
                group.forEach(
                        pending -> assertThat(driver.await(pending)).isEqualTo(BlockError.OK));
                if (random.nextInt(4) == 0) {
                    assertThat(driver.flush()).isEqualTo(BlockError.OK);
                    log.mark(markFlushed(content.clone()));
                }
            }
            images.close(file);
            log.mark(markFlushed(content.clone()));
        }
    }

    private Runnable markFlushed(byte[] content) {
        return () -> {
            flushed = content;
            since.clear();
        };
    }

    private FileDriver.Pending start(
            FileDriver driver,
            CrashLog log,
            byte[] content,
            int offset,
            int length,
            Random random) {
        int kind = random.nextInt(4);
        byte stamp = (byte) (kind < 2 ? random.nextInt(255) + 1 : 0);
        Arrays.fill(content, offset, offset + length, stamp);
        log.mark(() -> since.add(new long[] {offset, length, stamp}));
        if (kind < 2) {
            byte[] data = Arrays.copyOfRange(content, offset, offset + length);
            return driver.startWrite(offset, data, IoFlags.NONE);
        }
        return kind == 2
                ? driver.start(
                        IoOp.WRITE_ZEROES, offset, length, random.nextInt(2) * IoFlags.MAY_UNMAP)
                : driver.start(IoOp.DISCARD, offset, length, IoFlags.NONE);
    }

    private void replayAll(CrashLog log, byte[] initial, byte[] base, boolean backing, long seed)
            throws IOException {
        Random random = new Random(seed + 1);
        int count = log.events.size();
        int stride = (int) Math.max(1, Math.max(count / 500, (count * flushedMax(log)) >> 29));
        int states = 0;
        for (int at = 1; at <= count; at += 1 + random.nextInt(stride * 2 - 1)) {
            for (int torn = 0; torn < 2; torn++) {
                since.clear();
                flushed = new byte[0];
                byte[] file = log.replay(initial, at, torn == 0 ? null : random);
                if (flushed.length == 0) {
                    continue;
                }
                judge(
                        "after event " + at + (torn == 1 ? ", torn" : ""),
                        file,
                        base,
                        backing,
                        states++);
            }
        }
        System.out.println("crash: events=" + count + ", states=" + states);
    }

    /** Bytes of the largest state, to bound the work. */
    private static long flushedMax(CrashLog log) {
        return log.events.stream().mapToLong(event -> event.offset + event.length).max().orElse(0);
    }

    private void judge(String state, byte[] file, byte[] base, boolean backing, int number)
            throws IOException {
        StringBuilder found = new StringBuilder();
        CheckResult result =
                Qcow2Check.check(
                        new ArrayFile(file),
                        RepairMode.NONE,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                found.append(text).append('\n');
                            }
                        });
        assertThat(result.corruptions()).as("%s: %s", state, found).isZero();
        assertThat(result.checkErrors()).as("%s: %s", state, found).isZero();
        MemoryXlator brick = new MemoryXlator("crashed");
        brick.put("disk.qcow2", file);
        if (backing) {
            brick.put("base.raw", base);
        }
        ImageFixture crashed = new ImageFixture(folder, brick, Map.of());
        XlatorFile opened = crashed.open("disk.qcow2", OpenMode.READ_ONLY);
        byte[] actual = crashed.driver(opened).read(0, flushed.length);
        crashed.close(opened);
        for (int at = 0; at < actual.length; at += SECTOR) {
            if (!isAllowed(actual, at)) {
                throw new AssertionError(
                        state
                                + ": sector at "
                                + at
                                + " is neither what was flushed nor written since");
            }
        }
        if (number % QEMU_EVERY == 0 && Peer.QEMU_IMG.available()) {
            Path path = folder.resolve("crashed.qcow2");
            Files.write(path, file);
            PeerResult qemu = Peer.QEMU_IMG.command("check", path.toString()).run();
            assertThat(qemu.exitCode()).as("%s: %s", state, qemu).isIn(0, 3);
        }
    }

    private boolean isAllowed(byte[] actual, int at) {
        if (Arrays.equals(actual, at, at + SECTOR, flushed, at, at + SECTOR)) {
            return true;
        }
        for (long[] write : since) {
            if (write[0] <= at && at < write[0] + write[1]) {
                boolean equal = true;
                for (int i = at; i < at + SECTOR && equal; i++) {
                    equal = actual[i] == (byte) write[2];
                }
                if (equal) {
                    return true;
                }
            }
        }
        return false;
    }

    /** A file that is an array. */
    private static final class ArrayFile implements ImageFile {
        private final byte[] bytes;

        ArrayFile(byte[] bytes) {
            this.bytes = bytes;
        }

        @Override
        public long sizeBytes() {
            return bytes.length;
        }

        @Override
        public void read(long hostOffset, ByteBuffer target) {
            while (target.hasRemaining()) {
                long at = hostOffset++;
                target.put(at < bytes.length ? bytes[(int) at] : 0);
            }
        }

        @Override
        public void write(long hostOffset, ByteBuffer source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
