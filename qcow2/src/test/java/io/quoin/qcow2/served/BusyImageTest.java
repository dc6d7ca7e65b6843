package io.quoin.qcow2.served;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An image is checked again and again while it is written, zeroed, discarded, compressed, flushed,
 * enlarged and cut: nothing is ever found.
 */
@Timeout(600)
class BusyImageTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 3 << 20;
    private static final int CHECKS = Integer.getInteger("quoin.served.checks", 10);

    private final long seed = RandomOperations.seed();
    private final Random random = new Random(seed);
    @TempDir Path folder;
    private ImageFixture plain;
    private ImageFixture images;
    private XlatorFile file;
    private FileDriver driver;
    private ModelDisk model;
    private RandomOperations operations;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cluster_size=512",
                "cluster_size=1k,refcount_bits=8,compat=1.1",
                "cluster_size=4k",
                "cluster_size=4k,refcount_bits=1",
                "cluster_size=4k,refcount_bits=2,snapshots",
                "cluster_size=512,snapshots",
                "cluster_size=4k,lazy_refcounts=on",
                "cluster_size=512,lazy_refcounts=on",
                "cluster_size=64k",
                "cluster_size=16k,extended_l2=on",
                "cluster_size=4k,compat=0.10,snapshots",
                "cluster_size=4k,bitmap",
                "cluster_size=4k,backing_file=base.raw,backing_fmt=raw",
                "cluster_size=4k,data_file=data.raw",
                "cluster_size=2M,snapshots",
            })
    @DisplayName(
            "QCOW2 143, 144: an image that is being served is checked, and is never found wrong")
    void shouldFindNothingWhateverGoesOn(String kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        System.out.println("busy image: " + kind + ", -Dquoin.seed=" + seed);
        make(kind);
        open();
        if (kind.contains("bitmap")) {
            BitmapControl bitmaps = BitmapControl.of(file).orElseThrow();
            images.loops.await(images.loops.loop(0).call(() -> bitmaps.add("b", 512, true)));
            reopen();
        }
        ServedFixture checks = new ServedFixture(images, file);
        boolean compresses = !kind.contains("data_file");
        boolean resizes = !kind.contains("0.10");
        long ahead = 0;
        long workUnderChecks = 0;
        for (int i = 0; i < CHECKS; i++) {
            model.performAll(driver, operations.next(random.nextInt(4)), 4);
            List<FileDriver.Pending> underWay = underWay(compresses);
            CompletionStage<OpenCheck> check = checks.start(false);
            do {
                for (FileDriver.Pending write : underWay) {
                    assertThat(driver.await(write)).isEqualTo(BlockError.OK);
                }
                work(resizes);
                underWay = underWay(compresses);
                workUnderChecks++;
            } while (!check.toCompletableFuture().isDone());
            for (FileDriver.Pending write : underWay) {
                assertThat(driver.await(write)).isEqualTo(BlockError.OK);
            }
            OpenCheck found = images.loops.await(check);
            assertThat(checks.findings).as("check %s, seed %s", i, seed).isEmpty();
            assertThat(found.result().isClean()).as("%s", found).isTrue();
            ahead += found.countedAhead();
        }
        System.out.println("work under checks=" + workUnderChecks + ", counted ahead=" + ahead);
        if (!kind.contains("data_file")) {
            assertThat(ahead).as("clusters counted ahead in all checks").isPositive();
        }
        model.checkContent(driver);
        images.close(file);
        if (kind.contains("data_file")) {
            plain.export("data.raw");
        }
        plain.checkClean(NAME);
        assertThat(plain.qemuContent(NAME)).isEqualTo(model.content(0, model.sizeBytes()));
    }

    private void work(boolean resizes) {
        model.performAll(driver, operations.next(1 + random.nextInt(4)), 4);
        if (random.nextInt(3) == 0) {
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
        }
        if (resizes && random.nextInt(12) == 0) {
            int size = (SIZE / 2 + random.nextInt(SIZE)) & -512;
            boolean grows = size > model.sizeBytes();
            images.loops.await(
                    images.loops.loop(0).call(() -> grows ? file.resize(size) : file.shrink(size)));
            model.resize(size);
            operations = operations();
        }
    }

    private List<FileDriver.Pending> underWay(boolean compresses) {
        return compresses && random.nextBoolean() ? compressedWrites() : partWrites();
    }

    /**
     * Of parts of clusters all over the disk: those without a place take long until they have one.
     */
    private List<FileDriver.Pending> partWrites() {
        List<FileDriver.Pending> pending = new ArrayList<>();
        int step = model.sizeBytes() / 8;
        for (int from = 0; from + step <= model.sizeBytes(); from += step) {
            byte[] data = new byte[1 + random.nextInt(1000)];
            random.nextBytes(data);
            int offset = from + random.nextInt(step - data.length);
            pending.add(driver.startWrite(offset, data, IoFlags.NONE));
            model.write(offset, data);
        }
        return pending;
    }

    /** A few at once, that do not overlap; some end in the middle of a host cluster. */
    private List<FileDriver.Pending> compressedWrites() {
        int cluster = ((Number) file.details().get("cluster-size")).intValue();
        List<FileDriver.Pending> pending = new ArrayList<>();
        int clusters = model.sizeBytes() / cluster;
        int first = random.nextInt(Math.max(1, clusters));
        for (int i = random.nextInt(3); i > 0 && first < clusters; i--) {
            int count = 1 + random.nextInt(Math.min(clusters - first, 8));
            byte[] data = new byte[count * cluster];
            random.nextBytes(data);
            Arrays.fill(data, 0, random.nextInt(data.length), (byte) 5);
            pending.add(driver.startWrite((long) first * cluster, data, IoFlags.COMPRESSED));
            model.write((long) first * cluster, data);
            first += count + random.nextInt(3);
        }
        return pending;
    }

    private RandomOperations operations() {
        return new RandomOperations(
                random.nextLong(), file.geometry(), file.capabilities(), 200_000);
    }

    private void open() {
        images =
                new ImageFixture(
                        folder,
                        plain.brick,
                        new ReorderingXlator("reorder", plain.brick, seed),
                        Map.of());
        file = images.open(NAME, OpenMode.READ_WRITE);
        driver = images.driver(file);
        operations = operations();
    }

    private void reopen() {
        images.close(file);
        open();
    }

    private void make(String kind) throws IOException {
        plain = new ImageFixture(folder);
        byte[] content = new byte[SIZE];
        if (kind.contains("base.raw")) {
            random.nextBytes(content);
            Files.write(folder.resolve("base.raw"), content);
            plain.brick.put("base.raw", content);
        }
        model = new ModelDisk(content);
        String options = kind.replaceAll(",(snapshots|bitmap)", "");
        qemu("create", "-f", "qcow2", "-o", options, NAME, SIZE + "");
        qemuIo("write -P 3 100k 700k");
        fill(100 << 10, 700 << 10, 3);
        if (kind.contains("snapshots")) {
            qemu("snapshot", "-c", "one", NAME);
            qemuIo("write -P 4 300k 100k");
            fill(300 << 10, 100 << 10, 4);
            qemu("snapshot", "-c", "two", NAME);
            qemuIo("write -z 128k 64k");
            fill(128 << 10, 64 << 10, 0);
        }
        plain.brick.put(NAME, Files.readAllBytes(folder.resolve(NAME)));
        if (kind.contains("data_file")) {
            plain.brick.put("data.raw", Files.readAllBytes(folder.resolve("data.raw")));
        }
    }

    private void fill(int offset, int length, int value) {
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) value);
        model.write(offset, data);
    }

    private void qemu(String... arguments) throws IOException {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private void qemuIo(String command) throws IOException {
        Peer.QEMU_IO.command("-c", command, NAME).directory(folder).runOk();
    }
}
