package io.quoin.stripe;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.stripe.CrashingXlator.Power;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Crashes after each change that a call makes on any of the children, with the children's changes
 * in several orders: the files are then as before the call or as after it, whole, and nothing is
 * left over.
 */
@Timeout(120)
class StripeCrashTest {
    private static final int CHILDREN = 3;
    private static final int BLOCK = 4096;
    private static final int SIZE = 10 * BLOCK + 100;
    private static final int SEEDS = 20;

    /** A call that a crash interrupts. */
    private interface Call {
        CompletionStage<Void> start(Volume volume);
    }

    /** A stripe above children that may crash. */
    private static final class Volume {
        final VirtualLoopGroup group;
        final List<MemoryXlator> bricks;
        final Power power = new Power();
        final Xlator xlator;

        Volume(List<MemoryXlator> bricks, long seed) {
            this.group = VirtualLoopGroup.random(1, seed);
            this.bricks = bricks;
            List<Xlator> children = new ArrayList<>();
            bricks.forEach(
                    brick ->
                            children.add(
                                    new BoundaryXlator(
                                            new CrashingXlator(brick, power, group.loop(0)))));
            xlator = new BoundaryXlator(new StripeXlator("stripe", children, BLOCK, group));
        }

        XlatorFile open(String name) {
            return group.await(xlator.open(name, OpenOptions.READ_WRITE, group.loop(0)));
        }

        void close(XlatorFile file) {
            group.await(group.loop(0).call(file::close));
        }

        FileDriver drive(XlatorFile file) {
            return new FileDriver(file, group.loop(0));
        }

        /** As a file reads, up to its size. */
        byte[] content(String name) {
            XlatorFile file = open(name);
            byte[] content = drive(file).read(0, (int) file.geometry().sizeBytes());
            close(file);
            return content;
        }

        Map<String, byte[]> contents() {
            Map<String, byte[]> contents = new TreeMap<>();
            for (FileInfo file : group.await(xlator.list())) {
                byte[] content = content(file.fileName());
                assertThat((long) content.length).isEqualTo(file.sizeBytes());
                contents.put(file.fileName(), content);
            }
            return contents;
        }
    }

    private static byte[] data(long seed) {
        byte[] data = new byte[SIZE];
        new Random(seed).nextBytes(data);
        return data;
    }

    private static List<MemoryXlator> bricks() {
        List<MemoryXlator> bricks = new ArrayList<>();
        for (int i = 0; i < CHILDREN; i++) {
            bricks.add(new MemoryXlator("brick" + i));
        }
        Volume volume = new Volume(bricks, 1);
        for (String name : List.of("a", "b")) {
            volume.group.await(volume.xlator.create(name, CreateOptions.ofSize(SIZE)));
            XlatorFile file = volume.open(name);
            volume.drive(file).write(0, data(name.hashCode()));
            volume.close(file);
        }
        return bricks;
    }

    private static List<MemoryXlator> copyOf(List<MemoryXlator> bricks) {
        return bricks.stream().map(MemoryXlator::copy).toList();
    }

    private static void crashEverywhere(Call call) {
        List<MemoryXlator> bricks = bricks();
        Map<String, byte[]> before = new Volume(copyOf(bricks), 1).contents();
        Volume undisturbed = new Volume(copyOf(bricks), 1);
        undisturbed.group.await(call.start(undisturbed));
        Map<String, byte[]> after = new Volume(copyOf(undisturbed.bricks), 1).contents();
        boolean wasBefore = false;
        boolean wasAfter = false;
        for (int seed = 0; seed < SEEDS; seed++) {
            boolean isDone = false;
            for (int changes = 0; !isDone; changes++) {
                Volume crashing = new Volume(copyOf(bricks), seed);
                crashing.power.changesLeft = changes;
                CompletableFuture<Void> done = call.start(crashing).toCompletableFuture();
                crashing.group.runUntilIdle();
                isDone = done.isDone();
                assertThat(crashing.power.looseWrites).isZero();
                Volume restarted = new Volume(copyOf(crashing.bricks), seed);
                Map<String, byte[]> found = restarted.contents();
                String state = "after " + changes + " changes, seed " + seed;
                boolean isAfter = isSame(found, after);
                assertThat(isAfter || (!isDone && isSame(found, before))).as(state).isTrue();
                wasAfter |= isAfter;
                wasBefore |= isSame(found, before);
                assertNothingIsLeftOver(restarted, state);
            }
        }
        assertThat(wasBefore && wasAfter).as("the crashes reach both ends of the call").isTrue();
    }

    private static boolean isSame(Map<String, byte[]> one, Map<String, byte[]> other) {
        return one.keySet().equals(other.keySet())
                && one.keySet().stream()
                        .allMatch(name -> Arrays.equals(one.get(name), other.get(name)));
    }

    /** What a shrink has cut off does not come back either. */
    private static void assertNothingIsLeftOver(Volume volume, String state) {
        List<FileInfo> files = volume.group.await(volume.xlator.list());
        for (MemoryXlator brick : volume.bricks) {
            assertThat(volume.group.await(brick.list()))
                    .as(state)
                    .extracting(FileInfo::fileName)
                    .containsExactlyElementsOf(files.stream().map(FileInfo::fileName).toList());
        }
        for (FileInfo info : files) {
            XlatorFile file = volume.open(info.fileName());
            int sizeBytes = (int) info.sizeBytes();
            volume.group.await(volume.group.loop(0).call(() -> file.resize(2L * SIZE)));
            assertThat(volume.drive(file).read(sizeBytes, 2 * SIZE - sizeBytes))
                    .as(state)
                    .isEqualTo(new byte[2 * SIZE - sizeBytes]);
            volume.close(file);
        }
    }

    @Test
    void shouldBeThereOrNotWhenACreateIsInterrupted() {
        crashEverywhere(volume -> volume.xlator.create("c", CreateOptions.ofSize(SIZE)));
    }

    @Test
    void shouldHaveOneNameWhenARenameIsInterrupted() {
        crashEverywhere(volume -> volume.xlator.rename("a", "c"));
    }

    @Test
    void shouldBeOneOfTheTwoWhenAReplaceIsInterrupted() {
        crashEverywhere(volume -> volume.xlator.replace("a", "b"));
    }

    @Test
    void shouldBeThereOrNotWhenARemoveIsInterrupted() {
        crashEverywhere(volume -> volume.xlator.remove("a"));
    }

    @Test
    void shouldHaveOneOfTheSizesWhenAShrinkIsInterrupted() {
        crashEverywhere(volume -> resize(volume, BLOCK + 10));
    }

    @Test
    void shouldHaveOneOfTheSizesWhenAGrowthIsInterrupted() {
        crashEverywhere(volume -> resize(volume, 2L * SIZE - 1));
    }

    private static CompletionStage<Void> resize(Volume volume, long sizeBytes) {
        XlatorFile file = volume.open("a");
        return volume.group.loop(0).call(() -> file.resize(sizeBytes));
    }
}
