package io.quoin.qcow2.matrix;

import io.quoin.qcow2.matrix.ImageSpec.Backing;
import io.quoin.qcow2.matrix.ImageSpec.Compression;
import io.quoin.qcow2.matrix.ImageSpec.DataFile;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * An image that QEMU makes of an {@link ImageSpec}, with everything behind and beside it in one
 * folder, and what it must read as.
 *
 * <p>Threading: confined to the test.
 */
final class SpecImage {
    static final String IMAGE = "disk.qcow2";
    static final String DATA = "disk.data";
    static final String BITMAP = "b";
    static final String SNAPSHOT = "s";
    private static final String RAW = "base.raw";
    private static final String MIDDLE = "middle.qcow2";
    private static final int WRITES = 10;

    private final Path folder;
    private final ImageSpec spec;
    private final Random random;
    private final int backingBytes;
    final ModelDisk model;

    /** What the internal snapshot reads as, if there is one. */
    byte[] snapshot = {};

    private SpecImage(Path folder, ImageSpec spec, long seed) {
        this.folder = folder;
        this.spec = spec;
        this.random = new Random(seed);
        this.backingBytes = backingBytes(spec, seed);
        this.model = new ModelDisk(spec.sizeBytes());
    }

    /** Made, with content. */
    static SpecImage make(Path folder, ImageSpec spec, long seed) throws IOException {
        SpecImage image = create(folder, spec, seed);
        image.fill();
        return image;
    }

    /** Made, with nothing in it but what its backing files have. */
    static SpecImage create(Path folder, ImageSpec spec, long seed) throws IOException {
        SpecImage image = new SpecImage(folder, spec, seed);
        image.createAll();
        return image;
    }

    /** A folder without files. */
    static Path emptyFolder(Path path) throws IOException {
        Path made = Files.createDirectories(path);
        try (var files = Files.list(made)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        return made;
    }

    /** The files, the image first. */
    List<String> files() {
        List<String> names = new ArrayList<>(List.of(IMAGE));
        for (String name : List.of(DATA, RAW, MIDDLE)) {
            if (Files.exists(folder.resolve(name))) {
                names.add(name);
            }
        }
        return names;
    }

    private void createAll() throws IOException {
        for (String name : files()) {
            Files.deleteIfExists(folder.resolve(name));
        }
        List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        create.addAll(List.of("-o", spec.options(DATA)));
        if (spec.backing() == Backing.RAW) {
            makeRaw(backingBytes);
            create.addAll(List.of("-b", RAW, "-F", "raw"));
        } else if (spec.backing() != Backing.NONE) {
            makeMiddle();
            create.addAll(List.of("-b", MIDDLE, "-F", "qcow2"));
        }
        create.addAll(List.of(IMAGE, String.valueOf(spec.sizeBytes())));
        qemuImg(create);
    }

    /** The length of the file right behind the image, if there is one. */
    static int backingBytes(ImageSpec spec, long seed) {
        return length(spec, new Random(~seed));
    }

    /** Shorter than what it lies behind, as long, or longer. */
    private static int length(ImageSpec spec, Random random) {
        return spec.sizeBytes() / 512 * (2 + random.nextInt(4)) / 4 * 512;
    }

    private void makeRaw(int length) throws IOException {
        byte[] content = new byte[length];
        random.nextBytes(content);
        Files.write(folder.resolve(RAW), content);
        model.write(0, Arrays.copyOf(content, Math.min(content.length, spec.sizeBytes())));
    }

    private void makeMiddle() throws IOException {
        List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        create.addAll(List.of("-o", "cluster_size=" + (4096 << random.nextInt(3))));
        if (spec.backing() == Backing.CHAIN) {
            makeRaw(length(spec, random));
            create.addAll(List.of("-b", RAW, "-F", "raw"));
        }
        int length = backingBytes;
        create.addAll(List.of(MIDDLE, String.valueOf(length)));
        qemuImg(create);
        if (length < spec.sizeBytes()) {
            model.zero(length, spec.sizeBytes() - length);
        }
        QemuIo io = new QemuIo(folder, MIDDLE);
        for (int i = 0; i < WRITES; i++) {
            int offset = random.nextInt(length / 512) * 512;
            int count = Math.min(length - offset, 512 * (1 + random.nextInt(100)));
            int pattern = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(255);
            io.add(pattern == 0 ? "write -z" : "write -P " + pattern, offset, count);
            set(offset, Math.min(count, spec.sizeBytes() - offset), pattern);
        }
        io.run();
    }

    private void set(int offset, int length, int pattern) {
        if (length > 0) {
            byte[] data = new byte[length];
            Arrays.fill(data, (byte) pattern);
            model.write(offset, data);
        }
    }

    private void fill() {
        QemuIo io = new QemuIo(folder, IMAGE);
        if (spec.compression() != Compression.NONE) {
            compressed(io);
        }
        writes(io);
        io.run();
        if (spec.snapshots()) {
            qemuImg(List.of("snapshot", "-c", SNAPSHOT, IMAGE));
            snapshot = model.content(0, model.sizeBytes());
        }
        if (spec.bitmaps()) {
            qemuImg(List.of("bitmap", "--add", IMAGE, BITMAP));
        }
        if (spec.snapshots() || spec.bitmaps()) {
            QemuIo more = new QemuIo(folder, IMAGE);
            writes(more);
            more.run();
        }
    }

    /** Whole clusters that nothing has been written to yet. */
    private void compressed(QemuIo io) {
        int clusters = spec.sizeBytes() / spec.clusterSize();
        for (int i = 0; i < clusters; i += 1 + random.nextInt(4)) {
            int pattern = 1 + random.nextInt(255);
            io.add("write -c -P " + pattern, (long) i * spec.clusterSize(), spec.clusterSize());
            set(i * spec.clusterSize(), spec.clusterSize(), pattern);
            i += i > 100 ? 20 : 0;
        }
    }

    private void writes(QemuIo io) {
        int size = spec.sizeBytes();
        for (int i = 0; i < WRITES; i++) {
            int offset = random.nextInt(size / 512) * 512;
            int count = Math.min(size - offset, 512 * (1 + random.nextInt(size / 5000)));
            int kind = random.nextInt(6);
            int pattern = kind < 2 ? 0 : 1 + random.nextInt(255);
            io.add(
                    kind == 0 ? "write -z" : kind == 1 ? "write -z -u" : "write -P " + pattern,
                    offset,
                    count);
            set(offset, count, pattern);
        }
        if (spec.dataFile() == DataFile.NONE) {
            io.add("write -P 77", size - 512, 512);
            set(size - 512, 512, 77);
        }
    }

    void qemuImg(List<String> arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }
}
