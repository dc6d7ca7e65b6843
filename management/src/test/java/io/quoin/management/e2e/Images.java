package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.tools.ImageSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** What the tests ask of an image file that is not open: qemu-img is the judge. */
final class Images {
    private static final int ERRORS = 2;
    private static final int LEAKS = 3;

    private Images() {}

    /** Both checks find nothing at all. */
    static void requireClean(Path image) {
        PeerResult theirs = Peer.QEMU_IMG.command("check", "-f", "qcow2", image.toString()).run();
        assertThat(theirs.exitCode()).as(theirs.toString()).isZero();
        CheckResult ours = check(image, RepairMode.NONE);
        assertThat(ours.isClean()).as("%s: %s", image, ours).isTrue();
    }

    /** Makes the next reader wait for the disk, where the file system has one. */
    static void dropFromPageCache(Path image) {
        PeerCommand.of(
                        List.of(
                                "dd",
                                "of=" + image,
                                "oflag=nocache",
                                "conv=notrunc,fdatasync",
                                "count=0",
                                "status=none"))
                .runOk();
    }

    /** At worst leaked clusters, as a crash may leave them, and none of them after a repair. */
    static boolean requireLeaksAtWorst(Path image) {
        PeerResult theirs = Peer.QEMU_IMG.command("check", "-f", "qcow2", image.toString()).run();
        assertThat(theirs.exitCode()).as(theirs.toString()).isIn(0, LEAKS);
        if (theirs.exitCode() == 0) {
            return false;
        }
        CheckResult repair = check(image, RepairMode.LEAKS);
        assertThat(repair.exitCode()).as("%s: %s", image, repair).isZero();
        PeerResult again = Peer.QEMU_IMG.command("check", "-f", "qcow2", image.toString()).run();
        assertThat(again.exitCode()).as(again.toString()).isZero();
        return true;
    }

    /**
     * At worst leaked clusters, and exclusive ones that are not marked so, as a crash amid the end
     * of a snapshot may leave them until the image is served again. Nothing is repaired.
     */
    static void requireLeaksOrUnmarkedAtWorst(Path image) {
        PeerResult theirs = Peer.QEMU_IMG.command("check", "-f", "qcow2", image.toString()).run();
        if (theirs.exitCode() != ERRORS) {
            assertThat(theirs.exitCode()).as(theirs.toString()).isIn(0, LEAKS);
            return;
        }
        assertThat((theirs.stdout() + theirs.stderr()).lines())
                .as(theirs.toString())
                .filteredOn(line -> line.startsWith("ERROR "))
                .isNotEmpty()
                .allMatch(line -> line.contains("OFLAG_COPIED") && line.endsWith("refcount=1"));
    }

    /** As {@code quoin image check} does it, whose start takes longer than its work. */
    private static CheckResult check(Path image, RepairMode mode) {
        try (ImageSession session = new ImageSession();
                ImageFile file =
                        mode == RepairMode.LEAKS
                                ? session.directToKeep(image)
                                : session.direct(image, false)) {
            return Qcow2Check.check(file, mode, CheckListener.SILENT);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The digest of what a guest would read from the whole image. */
    static String guestSha256(Path image, Path scratch) throws IOException {
        Peer.QEMU_IMG
                .command(
                        "convert", "-f", "qcow2", "-O", "raw", image.toString(), scratch.toString())
                .runOk();
        String digest = sha256(scratch);
        Files.delete(scratch);
        return digest;
    }

    static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
        try (InputStream input = new DigestInputStream(Files.newInputStream(file), digest)) {
            input.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
