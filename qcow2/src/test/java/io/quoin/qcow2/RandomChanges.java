package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * An image that Quoin and QEMU change in turns at random places, as a model does.
 *
 * <p>Threading: confined to the test.
 */
final class RandomChanges {
    private static final int LENGTH_MAX = 200_000;
    private static final int DEPTH = 6;
    private static final int QEMU_WRITES = 12;

    private final Path folder;
    private final ImageFixture images;
    private final List<String> files;

    /**
     * @param files the image first, then what else changes with it
     */
    RandomChanges(Path folder, ImageFixture images, String... files) {
        this.folder = folder;
        this.images = images;
        this.files = List.of(files);
    }

    /** What QEMU has made of the files, for Quoin. */
    void take() throws IOException {
        for (String name : files) {
            images.brick.put(name, Files.readAllBytes(folder.resolve(name)));
        }
    }

    /** What Quoin has made of the files, for QEMU. */
    void export() throws IOException {
        for (String name : files) {
            images.export(name);
        }
    }

    /** Some operations at once over a brick that reorders what they lead to, all compared. */
    void byQuoin(ModelDisk model, int count, long seed) {
        ImageFixture reordering = images.reordering(seed);
        XlatorFile file = reordering.open(files.get(0), OpenMode.READ_WRITE);
        FileDriver driver = reordering.driver(file);
        model.checkContent(driver);
        model.performAll(driver, operations(file, seed).next(count), DEPTH);
        reordering.close(file);
    }

    static RandomOperations operations(XlatorFile file, long seed) {
        return new RandomOperations(seed, file.geometry(), file.capabilities(), LENGTH_MAX);
    }

    /** Writes and zeroes by one qemu-io. */
    void byQemu(ModelDisk model, Random random) throws IOException {
        List<String> commands = new ArrayList<>();
        for (int i = 0; i < QEMU_WRITES; i++) {
            int length = (1 + random.nextInt(i % 3 == 0 ? 300 : 12)) * 512;
            int offset = random.nextInt((model.sizeBytes() - length) / 512) * 512;
            if (i % 4 == 3) {
                commands.add("write -z " + (i % 8 == 3 ? "-u " : "") + offset + " " + length);
                model.zero(offset, length);
            } else {
                int stamp = 1 + random.nextInt(255);
                byte[] data = new byte[length];
                Arrays.fill(data, (byte) stamp);
                commands.add("write -P " + stamp + " " + offset + " " + length);
                model.write(offset, data);
            }
        }
        qemuIo(commands.toArray(new String[0]));
    }

    void qemuIo(String... commands) throws IOException {
        List<String> words = new ArrayList<>(List.of("-f", "qcow2"));
        for (String command : commands) {
            words.addAll(List.of("-c", command));
        }
        words.add(files.get(0));
        export();
        Peer.QEMU_IO.command(words).directory(folder).runOk();
        take();
    }

    /** QEMU finds neither corruption nor leaks, and reads what the model has. */
    void checkByQemu(ModelDisk model) throws IOException {
        export();
        images.checkClean(files.get(0));
        same(images.qemuContent(files.get(0)), model.content(0, model.sizeBytes()));
    }

    static void same(byte[] actual, byte[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        assertThat(Arrays.mismatch(actual, expected)).as("first difference").isEqualTo(-1);
    }

    /** Runs of text, of noise, of one byte and of zeros. */
    static byte[] content(int sizeBytes, long seed) {
        Random random = new Random(seed);
        byte[] content = new byte[sizeBytes];
        int at = 0;
        while (at < sizeBytes) {
            int end = Math.min(sizeBytes, at + 1 + random.nextInt(sizeBytes / 8 + 1));
            int kind = random.nextInt(5);
            for (; at < end; at++) {
                content[at] =
                        switch (kind) {
                            case 0 -> (byte) random.nextInt(256);
                            case 1 -> 0;
                            case 2 -> (byte) 7;
                            default -> (byte) ('a' + random.nextInt(1 + at % 7));
                        };
            }
        }
        return content;
    }
}
