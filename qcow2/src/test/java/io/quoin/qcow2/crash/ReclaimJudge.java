package io.quoin.qcow2.crash;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Opens what a crash has left for writing, lets leaks be reclaimed, at times with changes
 * meanwhile, and closes it: no cluster is leaked any more, and what was there is there.
 *
 * <p>Threading: confined to the test.
 */
final class ReclaimJudge {
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;
    private static final Pattern COUNTS = Pattern.compile("refcount=(\\d+) reference=(\\d+)");
    private static final int STAMP = 0x5000_0001;

    private ReclaimJudge() {}

    /** What is wrong; empty: nothing. */
    static String judge(
            Path folder, Map<String, FlatBytes> files, Map<String, byte[]> readOnly, int number) {
        Map<String, FlatBytes> copies = new TreeMap<>();
        files.forEach(
                (name, bytes) -> {
                    FlatBytes copy = new FlatBytes();
                    copy.copyFrom(bytes);
                    copies.put(name, copy);
                });
        readOnly.forEach((name, content) -> copies.put(name, new FlatBytes(content)));
        FlatBytes image = copies.get(CrashJudge.IMAGE);
        byte[] first = new byte[Math.min(image.size(), 64 << 10)];
        image.read(0, ByteBuffer.wrap(first));
        Qcow2Header header = Qcow2Header.parse(ByteBuffer.wrap(first), image.size());
        if (header.version() < 3 || header.lazyRefcounts()) {
            return "";
        }
        if (!header.mayHaveLeaks()) {
            String leaks = check(image, false);
            return leaks.isEmpty() ? "" : "leaks without a mark: " + leaks;
        }
        boolean shared = hasSharedLeaks(image);
        FlatFiles brick = new FlatFiles();
        copies.forEach(brick::put);
        ImageFixture images = new ImageFixture(folder, new MemoryXlator("none"), brick, Map.of());
        XlatorFile file = images.open(CrashJudge.IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] expected = driver.read(0, (int) file.geometry().sizeBytes());
        if (number % 2 == 1) {
            change(images, driver, expected, new Random(number));
        }
        images.loops.runUntilIdle();
        Object reclaim = file.details().get("leak-reclaim");
        images.close(file);
        if (!String.valueOf(reclaim).contains("done")) {
            return "leaks were not reclaimed: " + reclaim;
        }
        XlatorFile again = images.open(CrashJudge.IMAGE, OpenMode.READ_ONLY);
        byte[] content = images.driver(again).read(0, expected.length);
        images.close(again);
        if (!Arrays.equals(content, expected)) {
            return "reads as something else at "
                    + Arrays.mismatch(content, expected)
                    + " after leaks were reclaimed: "
                    + reclaim;
        }
        String left = check(image, shared);
        return left.isEmpty() ? "" : "after leaks were reclaimed: " + reclaim + ": " + left;
    }

    /** Changes while tables are walked. */
    private static void change(
            ImageFixture images, FileDriver driver, byte[] expected, Random random) {
        for (int i = 0; i < 12; i++) {
            int sectors = expected.length / SECTOR;
            int at = random.nextInt(sectors);
            int count = 1 + random.nextInt(Math.min(sectors - at, 40));
            byte[] data = new byte[count * SECTOR];
            BlockError error = BlockError.OK;
            switch (random.nextInt(4)) {
                case 0 -> error = driver.flush();
                case 1 -> {
                    error =
                            driver.await(
                                    driver.start(
                                            IoOp.WRITE_ZEROES,
                                            (long) at * SECTOR,
                                            data.length,
                                            IoFlags.MAY_UNMAP));
                    System.arraycopy(data, 0, expected, at * SECTOR, data.length);
                }
                default -> {
                    data = SectorStamp.bytes(STAMP + i, (long) at * SECTOR, data.length);
                    driver.write((long) at * SECTOR, data);
                    System.arraycopy(data, 0, expected, at * SECTOR, data.length);
                }
            }
            if (!error.isOk()) {
                throw new AssertionError("change while leaks are reclaimed ended in " + error);
            }
            images.loops.advance(random.nextInt(1_500_000));
        }
    }

    /**
     * Anything but too high counts of clusters that are referred to; with {@code shared} anything
     * but leaks: clusters of compressed streams may be counted more than once too often, and such
     * are no candidates.
     */
    private static String check(FlatBytes image, boolean shared) {
        StringBuilder told = new StringBuilder();
        CheckResult result =
                Qcow2Check.check(
                        new FlatImage(image),
                        RepairMode.NONE,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                if (told.length() < 500 && !isTolerated(text, shared)) {
                                    told.append(text).append("; ");
                                }
                            }
                        });
        return told.isEmpty() ? "" : result.leaks() + " leaks, " + told;
    }

    private static boolean isTolerated(String text, boolean shared) {
        Matcher counts = COUNTS.matcher(text);
        if (!counts.find()) {
            return false;
        }
        long count = Long.parseLong(counts.group(1));
        long references = Long.parseLong(counts.group(2));
        return count > references && (references > 0 || shared);
    }

    /** Whether a cluster is counted more than once and too often. */
    private static boolean hasSharedLeaks(FlatBytes image) {
        boolean[] found = new boolean[1];
        Qcow2Check.check(
                new FlatImage(image),
                RepairMode.NONE,
                new CheckListener() {
                    @Override
                    public void finding(String text) {
                        Matcher counts = COUNTS.matcher(text);
                        found[0] |= counts.find() && Long.parseLong(counts.group(1)) > 1;
                    }
                });
        return found[0];
    }
}
