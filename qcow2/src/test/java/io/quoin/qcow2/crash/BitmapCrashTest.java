package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.BitmapsOnDisk;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What bitmaps say after a crash anywhere: all that has changed, or that they know nothing. */
@Timeout(180)
class BitmapCrashTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 1 << 20;
    private static final int GRANULE = 512;

    @TempDir Path folder;

    private int valid;
    private int invalid;

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    @DisplayName("QCOW2 114, 116, 118: no crash leaves a bitmap that looks right and lacks a mark")
    void shouldMissNoMarkWhenItCrashesAnywhere(int cluster) {
        long seed = RandomOperations.seed();
        System.out.println("bitmap crash: seed=" + seed);
        Random random = new Random(seed);
        MemoryXlator brick = new MemoryXlator("brick");
        ImageFixture made = new ImageFixture(folder, brick, Map.of());
        made.create(NAME, SIZE, Map.of("cluster_size", String.valueOf(cluster)));
        XlatorFile empty = made.open(NAME, OpenMode.READ_WRITE);
        call(made, empty, control -> control.add("auto", GRANULE, true));
        made.close(empty);
        byte[] initial = brick.content(NAME);
        DiskRecorder recorder = new DiskRecorder(brick, false);
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", recorder, seed), Map.of());
        for (int session = 0; session < 4; session++) {
            session(images, session, random);
        }
        new CrashReplay(Map.of(NAME, initial), recorder.events)
                .run((state, files) -> judge("seed=" + seed + ", " + state, files), random, 120, 2);
        System.out.println("bitmap crash: valid=" + valid + ", inconsistent or gone=" + invalid);
        assertThat(valid).isPositive();
        assertThat(invalid).isPositive();
    }

    private void session(ImageFixture images, int session, Random random) {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        String other = "other" + session % 2;
        if (session < 2) {
            call(images, file, control -> control.add(other, 4096, random.nextBoolean()));
        } else {
            call(images, file, control -> control.merge(other, control, "auto"));
            long newSize = SIZE + (session - 1L) * 300 * GRANULE;
            images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
        }
        for (int i = 0; i < 10; i++) {
            int offset = random.nextInt(SIZE / GRANULE) * GRANULE;
            int length = Math.min(SIZE - offset, (1 + random.nextInt(16)) * GRANULE);
            byte[] data = new byte[length];
            Arrays.fill(data, (byte) (1 + random.nextInt(255)));
            driver.write(offset, data);
            if (random.nextInt(4) == 0) {
                driver.flush();
            }
        }
        if (session == 3) {
            call(images, file, control -> control.remove(other));
        }
        images.close(file);
    }

    private static void call(
            ImageFixture images,
            XlatorFile file,
            Function<BitmapControl, CompletionStage<Void>> operation) {
        BitmapControl control = BitmapControl.of(file).orElseThrow();
        images.loops.await(images.loops.loop(0).call(() -> operation.apply(control)));
    }

    private void judge(String state, Map<String, FlatBytes> files) {
        FlatBytes image = files.get(NAME);
        StringBuilder told = new StringBuilder();
        CheckResult result =
                Qcow2Check.check(
                        new FlatImage(image),
                        RepairMode.NONE,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                told.append(text).append("; ");
                            }
                        });
        assertThat(result.corruptions() + result.checkErrors()).as("%s: %s", state, told).isZero();
        BitmapsOnDisk.Found auto = BitmapsOnDisk.read(image.content()).get("auto");
        if (auto == null || auto.inUse()) {
            invalid++;
            return;
        }
        valid++;
        FlatFiles brick = new FlatFiles();
        files.forEach(brick::put);
        ImageFixture crashed = new ImageFixture(folder, new MemoryXlator("none"), brick, Map.of());
        XlatorFile file = crashed.open(NAME, OpenMode.READ_ONLY);
        byte[] content = crashed.driver(file).read(0, (int) file.geometry().sizeBytes());
        crashed.close(file);
        for (int at = 0; at < content.length; at++) {
            if (content[at] != 0 && !auto.isMarked(at)) {
                throw new AssertionError(state + ": no mark for the change at " + at);
            }
        }
    }
}
