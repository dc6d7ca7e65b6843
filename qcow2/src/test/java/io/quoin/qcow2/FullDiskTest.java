package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A disk that is full for a while: requests fail, and nothing else is lost, also no space. */
@Timeout(120)
class FullDiskTest {
    private static final String NAME = "disk.qcow2";
    private static final int SECTOR = 512;
    private static final int PHASES = 12;
    private static final int OPERATIONS = 40;

    @TempDir Path folder;

    private int sizeMax;
    private int sectorsMax;
    private int refused;

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "cluster_size=512,refcount_bits=64; 6; 256",
                "cluster_size=4k; 24; 2048",
                "cluster_size=64k; 48; 4096",
                "cluster_size=4k,lazy_refcounts=on; 24; 2048",
                "cluster_size=16k,extended_l2=on; 48; 4096"
            })
    @DisplayName("QCOW2 55, 57: what fails on a full disk leaks nothing, and the rest goes on")
    void shouldLoseNothingWhenTheDiskIsFullForAWhile(String options, int mebibytes, int sectors)
            throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        sizeMax = mebibytes << 20;
        sectorsMax = sectors;
        long seed = RandomOperations.seed();
        System.out.println("full disk: seed=" + seed + ", " + options);
        Random random = new Random(seed);
        MemoryXlator brick = new MemoryXlator("brick");
        FullBrick limited = new FullBrick(brick);
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", limited, seed), Map.of());
        images.create(NAME, sizeMax / 2, options(options));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        ModelDisk model = new ModelDisk(sizeMax / 2);
        for (int phase = 0; phase < PHASES; phase++) {
            limited.full = phase % 2 == 1;
            FileDriver driver = images.driver(file);
            for (int i = 0; i < OPERATIONS; i++) {
                operate(driver, model, random);
            }
            resize(images, file, model, random);
            assertThat(driver.flush())
                    .as("seed=%d, phase %d", seed, phase)
                    .isEqualTo(BlockError.OK);
            model.checkContent(driver);
        }
        limited.full = false;
        images.close(file);
        assertThat(refused).as("requests that failed").isPositive();
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, model.sizeBytes()));
    }

    private static Map<String, String> options(String text) {
        return Arrays.stream(text.split(","))
                .map(option -> option.split("="))
                .collect(Collectors.toMap(option -> option[0], option -> option[1]));
    }

    private void operate(FileDriver driver, ModelDisk model, Random random) {
        int sectors = model.sizeBytes() / SECTOR;
        int first = random.nextInt(sectors);
        int length = Math.min(sectors - first, 1 + random.nextInt(sectorsMax)) * SECTOR;
        long offset = (long) first * SECTOR;
        byte[] wanted = new byte[length];
        BlockError error;
        switch (random.nextInt(8)) {
            case 0 -> error = driver.discard(offset, length);
            case 1 -> error = driver.zero(offset, length, IoFlags.MAY_UNMAP);
            case 2 -> error = driver.zero(offset, length, IoFlags.NONE);
            case 3 -> {
                assertThat(driver.flush()).isEqualTo(BlockError.OK);
                return;
            }
            default -> {
                Arrays.fill(wanted, (byte) (1 + random.nextInt(255)));
                error = driver.write(offset, wanted, IoFlags.NONE);
            }
        }
        if (error.isOk()) {
            model.write(offset, wanted);
            return;
        }
        assertThat(error).isEqualTo(BlockError.ENOSPC);
        refused++;
        byte[] found = driver.read(offset, length);
        byte[] before = model.content(offset, length);
        for (int at = 0; at < length; at += SECTOR) {
            boolean isOld = Arrays.equals(found, at, at + SECTOR, before, at, at + SECTOR);
            boolean isNew = Arrays.equals(found, at, at + SECTOR, wanted, at, at + SECTOR);
            assertThat(isOld || isNew).as("sector at %d of a write that failed", at).isTrue();
        }
        model.write(offset, found);
    }

    private void resize(ImageFixture images, XlatorFile file, ModelDisk model, Random random) {
        int newSize =
                Math.min(sizeMax, model.sizeBytes() + random.nextInt(4 * sectorsMax) * SECTOR);
        try {
            images.loops.await(images.loops.loop(0).call(() -> file.resize(newSize)));
            model.resize(newSize);
        } catch (BlockException e) {
            assertThat(e.error()).isEqualTo(BlockError.ENOSPC);
            refused++;
        }
    }
}
