package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.matrix.ImageSpec.DataFile;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Images of every kind that QEMU makes read the same, and what Quoin changes in them QEMU reads the
 * same. {@code -Dquoin.matrix=all} takes all combinations instead of each pair of values.
 */
@Tag("format")
@Timeout(7200)
class MatrixTest {
    private static final int PAIRWISE = 60;
    private static final int OPERATIONS = 40;

    @TempDir Path folder;
    private static int done;

    static List<ImageSpec> specs() {
        return "all".equals(System.getProperty("quoin.matrix"))
                ? ImageSpec.all()
                : ImageSpec.pairwise(PAIRWISE);
    }

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    @ParameterizedTest
    @MethodSource("specs")
    @DisplayName("QCOW2 45, 46, 53, 147: what QEMU makes reads the same, and what Quoin changes")
    void shouldReadAndChangeWhatQemuMadeWhenItIsOfAnyKind(ImageSpec spec) throws IOException {
        long seed = RandomOperations.seed();
        String label = spec + ", repeat with -Dquoin.seed=" + seed;
        try {
            readAndChange(spec, seed);
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(label + ": " + e.getMessage(), e);
        }
        done++;
    }

    private void readAndChange(ImageSpec spec, long seed) throws IOException {
        SpecImage made = SpecImage.make(folder, spec, seed);
        ModelDisk model = made.model;
        assertThat(qemuContent())
                .as("what QEMU reads")
                .isEqualTo(model.content(0, model.sizeBytes()));
        MemoryXlator brick = new MemoryXlator("brick");
        for (String name : made.files()) {
            brick.put(name, Files.readAllBytes(folder.resolve(name)));
        }
        ImageFixture images = new ImageFixture(folder, brick, Map.of());
        XlatorFile readOnly = images.open(SpecImage.IMAGE, OpenMode.READ_ONLY);
        model.checkContent(images.driver(readOnly));
        images.close(readOnly);
        change(brick, spec, model, seed);
        for (String name : made.files()) {
            Files.write(folder.resolve(name), brick.content(name));
        }
        PeerResult check = Peer.QEMU_IMG.command("check", SpecImage.IMAGE).directory(folder).run();
        assertThat(check.exitCode()).as("%s", check).isZero();
        byte[] expected = model.content(0, model.sizeBytes());
        assertThat(qemuContent()).as("what QEMU reads after changes").isEqualTo(expected);
        if (spec.dataFile() == DataFile.RAW) {
            assertThat(Arrays.copyOf(brick.content(SpecImage.DATA), expected.length))
                    .as("the raw data file")
                    .isEqualTo(expected);
        }
        if (spec.snapshots()) {
            // QEMU gives it the size that the disk has now.
            byte[] snapshot = qemuContent("-l", SpecImage.SNAPSHOT);
            assertThat(Arrays.copyOf(snapshot, made.snapshot.length))
                    .as("the internal snapshot")
                    .isEqualTo(made.snapshot);
        }
    }

    private void change(MemoryXlator brick, ImageSpec spec, ModelDisk model, long seed) {
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", brick, seed), Map.of());
        XlatorFile file = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        operate(file, driver, model, seed);
        images.close(file);
        XlatorFile again = images.open(SpecImage.IMAGE, OpenMode.READ_WRITE);
        driver = images.driver(again);
        model.checkContent(driver);
        if (spec.version() == 3 || !spec.snapshots()) {
            for (int size : List.of(spec.sizeBytes() / 512 * 5 / 3 * 512, spec.sizeBytes() / 2)) {
                int newSize = size / 512 * 512;
                boolean shrink = newSize < model.sizeBytes();
                if (shrink && spec.snapshots()) {
                    continue; // a snapshot may need what would go
                }
                images.loops.await(
                        images.loops
                                .loop(0)
                                .call(
                                        () ->
                                                shrink
                                                        ? again.shrink(newSize)
                                                        : again.resize(newSize)));
                model.resize(newSize);
                operate(again, driver, model, seed + newSize);
            }
        }
        images.close(again);
    }

    private static void operate(XlatorFile file, FileDriver driver, ModelDisk model, long seed) {
        RandomOperations operations =
                new RandomOperations(
                        seed, file.geometry(), file.capabilities(), model.sizeBytes() / 8);
        model.performAll(driver, operations.next(OPERATIONS), 6);
    }

    private byte[] qemuContent(String... options) throws IOException {
        List<String> arguments = new java.util.ArrayList<>(List.of("convert"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("-f", "qcow2", "-O", "raw", SpecImage.IMAGE, "out.raw"));
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
        return Files.readAllBytes(folder.resolve("out.raw"));
    }

    @Test
    void shouldHaveEachPairOfValuesThatGoTogether() {
        List<ImageSpec> specs = ImageSpec.pairwise(PAIRWISE);
        assertThat(specs).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(PAIRWISE);
        Set<String> all = pairs(ImageSpec.all());
        assertThat(pairs(specs)).isEqualTo(all);
    }

    /** Names of each two values that occur together, of the words that a kind is described by. */
    private static Set<String> pairs(List<ImageSpec> specs) {
        Set<String> pairs = new HashSet<>();
        for (ImageSpec spec : specs) {
            String[] words = spec.toString().split(" ", -1);
            for (int a = 0; a < words.length; a++) {
                for (int b = a + 1; b < words.length; b++) {
                    pairs.add(words[a] + " " + words[b]);
                }
            }
        }
        return pairs;
    }

    @AfterAll
    static void tell() {
        System.out.println("matrix: images of " + done + " kinds read, changed and read by QEMU");
    }
}
