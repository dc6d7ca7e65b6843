package io.quoin.testkit.peer;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * A program that a test needs and that Quoin does not bring along.
 *
 * <p>A test calls {@link #assumeAvailable()} first: where the program is missing the test is
 * aborted with the reason, or, with the environment variable {@code QUOIN_PEERS=required}, it
 * fails.
 *
 * <p>Threading: immutable.
 */
public enum Peer {
    QEMU_IMG("qemu-img", "qemu-utils"),
    QEMU_IO("qemu-io", "qemu-utils"),
    QEMU_NBD("qemu-nbd", "qemu-utils"),
    QEMU_STORAGE_DAEMON("qemu-storage-daemon", "qemu-system-common"),
    QEMU_SYSTEM("qemu-system-x86_64", "qemu-system-x86"),
    NBDKIT("nbdkit", "nbdkit"),
    NBDINFO("nbdinfo", "libnbd-bin"),
    NBDCOPY("nbdcopy", "libnbd-bin"),
    /** Run as the Debian Python's module: the nbdsh script takes whichever python3 comes first. */
    NBDSH("python3", "python3-libnbd") {
        @Override
        List<String> launcher() {
            return List.of("/usr/bin/python3", "-m", "nbd");
        }

        @Override
        Optional<String> missing() {
            if (!Files.isExecutable(Path.of("/usr/bin/python3"))) {
                return Optional.of("/usr/bin/python3 is not installed");
            }
            PeerResult probe = PeerCommand.of("/usr/bin/python3", "-c", "import nbd").run();
            return probe.exitCode() == 0
                    ? Optional.empty()
                    : Optional.of("Python's nbd module is not installed");
        }
    },
    NBD_CLIENT("nbd-client", "nbd-client"),
    FIO("fio", "fio"),
    BUSYBOX("busybox", "busybox-static"),
    MKFS_EXT4("mkfs.ext4", "e2fsprogs"),
    E2FSCK("e2fsck", "e2fsprogs"),
    FSTRIM("fstrim", "util-linux"),
    BLKDISCARD("blkdiscard", "util-linux"),
    BASH("bash", "bash"),
    SYSTEMD_ANALYZE("systemd-analyze", "systemd"),
    GLUSTERD("glusterd", "glusterfs-server"),
    UNSHARE("unshare", "util-linux");

    private static final List<String> ALWAYS_SEARCHED = List.of("/usr/sbin", "/sbin");

    private final String program;
    private final String debianPackage;

    Peer(String program, String debianPackage) {
        this.program = program;
        this.debianPackage = debianPackage;
    }

    /** The program's name as it is searched for in PATH. */
    public String program() {
        return program;
    }

    /** The Debian package that brings it. */
    public String debianPackage() {
        return debianPackage;
    }

    /** The program's file, from PATH or one of the system folders that PATH may lack. */
    public Optional<Path> path() {
        List<String> folders = new ArrayList<>();
        String searchPath = System.getenv("PATH");
        if (searchPath != null) {
            folders.addAll(List.of(searchPath.split(File.pathSeparator, -1)));
        }
        folders.addAll(ALWAYS_SEARCHED);
        for (String folder : folders) {
            Path candidate = Path.of(folder, program);
            if (!folder.isEmpty()
                    && Files.isRegularFile(candidate)
                    && Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** Whether the program can be run here. */
    public boolean available() {
        return missing().isEmpty();
    }

    /**
     * Aborts the running test, or fails it where peers are required, unless the program is here.
     */
    public void assumeAvailable() {
        missing()
                .ifPresent(
                        reason -> abortOrFail(reason + " (Debian package " + debianPackage + ")"));
    }

    /** {@link #assumeAvailable()} of each. */
    public static void assumeAll(Peer... peers) {
        for (Peer peer : peers) {
            peer.assumeAvailable();
        }
    }

    /**
     * Aborts the running test for want of something in its surroundings that is no program, such as
     * a guest kernel; fails it where peers are required.
     */
    public static void abortOrFail(String reason) {
        if (required()) {
            Assertions.fail("QUOIN_PEERS=required, but " + reason);
        }
        Assumptions.abort(reason);
    }

    /** Whether a missing peer fails a test instead of skipping it. */
    public static boolean required() {
        return "required".equals(System.getenv("QUOIN_PEERS"));
    }

    /** A command line of this program; nothing runs yet. */
    public PeerCommand command(String... arguments) {
        return command(List.of(arguments));
    }

    /** A command line of this program; nothing runs yet. */
    public PeerCommand command(List<String> arguments) {
        List<String> argv = new ArrayList<>(launcher());
        argv.addAll(arguments);
        return PeerCommand.of(argv);
    }

    List<String> launcher() {
        return List.of(path().map(Path::toString).orElse(program));
    }

    Optional<String> missing() {
        return path().isPresent() ? Optional.empty() : Optional.of(program + " is not installed");
    }
}
