package io.quoin.qcow2.matrix;

import io.quoin.block.IoFlags;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Carries out a sequence with qemu-io and qemu-img.
 *
 * <p>Threading: confined to the test.
 */
final class QemuSide {
    static final String OTHER = "other.raw";

    private final Path folder;
    private final ImageSpec spec;
    private QemuIo io;

    QemuSide(Path folder, ImageSpec spec) {
        this.folder = folder;
        this.spec = spec;
        this.io = new QemuIo(folder, SpecImage.IMAGE);
    }

    /** Adds a step, with the model as it is before it. */
    void add(SequenceStep step, SequenceModel model) throws IOException {
        switch (step.kind()) {
            case WRITE, COMPRESSED ->
                    io.add(
                            "write " + fua(step) + "-P " + step.stamp(),
                            step.offset(),
                            step.length());
            case ZERO -> {
                String unmap = (step.flags() & IoFlags.MAY_UNMAP) != 0 ? "-u " : "";
                io.add("write -z " + unmap + fua(step), step.offset(), step.length());
            }
            case DISCARD -> discard(step, model);
            case FLUSH -> io.add("flush");
            case REOPEN -> io.add("reopen");
            case RESIZE -> resize(step.length(), model.disk.sizeBytes());
            default -> {
                finish();
                byQemu(folder, step);
            }
        }
    }

    private static String fua(SequenceStep step) {
        return (step.flags() & IoFlags.FUA) != 0 ? "-f " : "";
    }

    /** QEMU leaves the ends of a discard alone; there it is told to write zeros. */
    private void discard(SequenceStep step, SequenceModel model) {
        int cluster = spec.clusterSize();
        int from = (step.offset() + cluster - 1) / cluster * cluster;
        int end = step.end();
        int to = end == model.disk.sizeBytes() ? end : end / cluster * cluster;
        boolean none = spec.version() == 2 && model.backed;
        if (from >= to || none) {
            io.add("write -z", step.offset(), step.length());
            return;
        }
        io.add("discard", from, (long) to - from);
        if (step.offset() < from) {
            io.add("write -z", step.offset(), (long) from - step.offset());
        }
        if (to < end) {
            io.add("write -z", to, (long) end - to);
        }
    }

    /** QEMU keeps what lies behind a new end within a cluster, and shows it when it grows again. */
    private void resize(int newSize, int oldSize) {
        int cluster = spec.clusterSize();
        int end = Math.min(oldSize, (newSize + cluster - 1) / cluster * cluster);
        if (newSize < end) {
            io.add("write -z", newSize, (long) end - newSize);
        }
        io.add("truncate " + newSize);
    }

    /** Has all been done that was added. */
    void finish() {
        io.run();
        io = new QemuIo(folder, SpecImage.IMAGE);
    }

    /** A step that QEMU carries out on either side's image. */
    static void byQemu(Path folder, SequenceStep step) throws IOException {
        String image = SpecImage.IMAGE;
        String name = step.name();
        switch (step.kind()) {
            case QEMU -> {
                QemuIo io = new QemuIo(folder, image);
                io.add("write -P " + step.stamp(), step.offset(), step.length());
                io.run();
            }
            case SNAPSHOT -> qemuImg(folder, "snapshot", "-c", name, image);
            case SNAPSHOT_APPLY -> qemuImg(folder, "snapshot", "-a", name, image);
            case SNAPSHOT_DELETE -> qemuImg(folder, "snapshot", "-d", name, image);
            case REBASE_SAME ->
                    qemuImg(folder, "rebase", "-u", "-f", "qcow2", "-b", name, "-F", "raw", image);
            case REBASE_OTHER ->
                    qemuImg(folder, "rebase", "-f", "qcow2", "-b", OTHER, "-F", "raw", image);
            case REBASE_NONE -> qemuImg(folder, "rebase", "-f", "qcow2", "-b", "", image);
            case BITMAP_ADD ->
                    qemuImg(
                            folder,
                            "bitmap",
                            "--add",
                            "-g",
                            "" + (1L << step.stamp()),
                            image,
                            name);
            case BITMAP_REMOVE -> qemuImg(folder, "bitmap", "--remove", image, name);
            case BITMAP_CLEAR -> qemuImg(folder, "bitmap", "--clear", image, name);
            case BITMAP_ENABLE -> qemuImg(folder, "bitmap", "--enable", image, name);
            case BITMAP_DISABLE -> qemuImg(folder, "bitmap", "--disable", image, name);
            case BITMAP_MERGE ->
                    qemuImg(folder, "bitmap", "--merge", SequencePlan.FIRST, image, name);
            default -> throw new IllegalArgumentException("no step for qemu-img: " + step);
        }
    }

    /** What QEMU reads from the image in {@code folder}. */
    static byte[] content(Path folder, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("convert"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("-f", "qcow2", "-O", "raw", SpecImage.IMAGE));
        Path out = Files.createTempFile("quoin", ".raw");
        try {
            arguments.add(out.toString());
            Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
            return Files.readAllBytes(out);
        } finally {
            Files.delete(out);
        }
    }

    static PeerResult check(Path folder, String... options) {
        List<String> arguments = new ArrayList<>(List.of("check"));
        arguments.addAll(List.of(options));
        arguments.add(SpecImage.IMAGE);
        return Peer.QEMU_IMG.command(arguments).directory(folder).run();
    }

    /** The names that {@code qemu-img snapshot -l} shows. */
    static List<String> snapshotNames(Path folder) {
        return Peer.QEMU_IMG
                .command("snapshot", "-l", SpecImage.IMAGE)
                .directory(folder)
                .runOk()
                .stdout()
                .lines()
                .filter(line -> line.matches("\\d.*"))
                .map(line -> line.split(" +", -1)[1])
                .toList();
    }

    static void qemuImg(Path folder, String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }
}
