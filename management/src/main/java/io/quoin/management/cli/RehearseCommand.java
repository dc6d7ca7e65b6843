package io.quoin.management.cli;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.management.brick.BrickOptions;
import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.daemon.DiskSpec;
import io.quoin.management.volume.DataFolder;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.WireOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * {@code quoin rehearse}: goes once through what a start needs, in a folder of its own, so that the
 * launcher can archive the classes.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(name = "rehearse", hidden = true, description = "Load what the class-data archive holds.")
final class RehearseCommand implements Runnable {
    private static final long DISK_BYTES = 1L << 30;
    private static final int BLOCK_BYTES = 4096;
    private static final int CONVERTED_BYTES = 1 << 20;

    @Override
    public void run() {
        try {
            Path folder = Files.createTempDirectory("quoin-");
            try {
                rehearse(folder);
                convert(folder);
                brick(folder);
            } finally {
                delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void rehearse(Path folder) {
        DataFolder data = new DataFolder(folder);
        List<DiskSpec> disks = List.of(new DiskSpec("disk", DISK_BYTES));
        DaemonOptions options =
                new DaemonOptions(
                        data,
                        null,
                        disks,
                        null,
                        data.nbdSocket(),
                        DaemonOptions.SOCKET_MODE,
                        1,
                        Version.text());
        try (Daemon daemon = Daemon.start(options)) {
            execute("status", "--data", folder.toString());
            execute("disk", "check", "--data", folder.toString(), "disk");
            execute("job", "ls", "--all", "--data", folder.toString());
            execute("disk", "qemu-args", "--data", folder.toString(), daemon.disks().get(0).name());
            String export = daemon.addresses().uris("disk").get(0);
            execute("image", "info", export);
            execute("image", "map", export);
        }
        execute("disk", "ls", "--data", folder.toString());
        execute("disk", "ls", "--output", "json", "--data", folder.toString());
        try (Volume volume = Volumes.open(folder);
                Disk disk = volume.open("disk")) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
            disk.write(0, block);
            disk.flush();
            disk.read(0, block);
        }
    }

    private static void convert(Path folder) throws IOException {
        Path data = Files.createDirectory(folder.resolve("images"));
        String raw = data.resolve("image.raw").toString();
        String compressed = data.resolve("image.qcow2").toString();
        byte[] content = new byte[CONVERTED_BYTES];
        Arrays.fill(content, 0, CONVERTED_BYTES / 2, (byte) 1);
        Files.write(Path.of(raw), content);
        execute("image", "convert", "-c", "-o", "compression_type=zstd", raw, compressed);
        execute("image", "convert", compressed, raw);
        execute("image", "info", compressed);
    }

    private static void brick(Path folder) throws IOException {
        Path path = Files.createDirectory(folder.resolve("new-brick"));
        BrickOptions options =
                new BrickOptions(
                        path,
                        new BrickAddress("127.0.0.1", 0),
                        WireOptions.local(),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10));
        try (BrickDaemon daemon = BrickDaemon.start(options)) {
            BrickClaim.claim(
                    daemon.address(), WireOptions.local(), UUID.randomUUID(), 0, Layout.ONE);
        }
        BrickDaemon.start(options).close();
        execute("brick", "--help");
    }

    private static void execute(String... arguments) {
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setOut(new PrintWriter(new StringWriter()));
        command.execute(arguments);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> content = Files.walk(folder)) {
            for (Path entry : content.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(entry);
            }
        }
    }
}
