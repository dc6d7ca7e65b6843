package io.quoin.management.e2e;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The guest's whole user space: busybox, the file system tools and the kernel client's tool of this
 * machine with the libraries that ldd names, the kernel's modules, and the test's script as /init.
 */
final class GuestInitramfs {
    private static final List<String> MODULES =
            List.of("virtio_pci", "virtio_blk", "virtio_net", "crc32c_generic", "ext4", "nbd");
    private static final List<Peer> TOOLS =
            List.of(Peer.MKFS_EXT4, Peer.E2FSCK, Peer.FSTRIM, Peer.BLKDISCARD, Peer.NBD_CLIENT);

    private GuestInitramfs() {}

    /** Skips the test unless every part of it is installed. */
    static void assumeAvailable() {
        Peer.BUSYBOX.assumeAvailable();
        TOOLS.forEach(Peer::assumeAvailable);
    }

    static Path build(Path target, GuestKernel kernel) throws IOException {
        return build(target, kernel, "guest-init.sh");
    }

    /** With another script, of this package's resources, as its program. */
    static Path build(Path target, GuestKernel kernel, String script) throws IOException {
        try (CpioArchive archive = new CpioArchive(target)) {
            archive.add("/init", resource(script));
            archive.add("/bin/busybox", Peer.BUSYBOX.path().orElseThrow());
            for (String folder : List.of("/proc", "/sys", "/dev", "/mnt", "/run", "/var", "/tmp")) {
                archive.add(folder + "/.keep", new byte[0]);
            }
            for (Peer tool : TOOLS) {
                addProgram(archive, tool.path().orElseThrow());
            }
            addModules(archive, kernel);
        }
        return target;
    }

    private static void addProgram(CpioArchive archive, Path program) throws IOException {
        archive.add("/sbin/" + program.getFileName(), program);
        for (String line :
                PeerCommand.of("ldd", program.toString()).runOk().stdout().lines().toList()) {
            Optional<String> library =
                    Stream.of(line.trim().split("\\s+"))
                            .filter(word -> word.startsWith("/"))
                            .findFirst();
            if (library.isPresent()) {
                archive.add(library.orElseThrow(), Path.of(library.orElseThrow()));
            }
        }
    }

    private static void addModules(CpioArchive archive, GuestKernel kernel) throws IOException {
        StringBuilder order = new StringBuilder();
        for (Path module : kernel.modules(MODULES)) {
            String name = module.getFileName().toString().replaceFirst("\\.ko.*", ".ko");
            archive.add("/modules/" + name, GuestKernel.content(module));
            order.append(name).append('\n');
        }
        archive.add("/modules/order", order.toString().getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream input = GuestInitramfs.class.getResourceAsStream(name)) {
            return input.readAllBytes();
        }
    }
}
