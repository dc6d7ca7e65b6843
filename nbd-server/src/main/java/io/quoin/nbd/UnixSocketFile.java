package io.quoin.nbd;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening unix socket. The socket is bound under another name, gets its
 * permissions, and is then renamed: nobody can connect before they are in force. A file left by a
 * server that died is replaced; one that somebody listens on, or that is no socket, is not.
 *
 * <p>Threading: confined to the thread that starts the server, then to the one that closes it.
 */
final class UnixSocketFile {
    private final Path path;
    private final Path bindPath;
    private @Nullable Object identity;

    UnixSocketFile(Path path) {
        this.path = path;
        this.bindPath = path.resolveSibling(path.getFileName() + ".new");
    }

    /** Makes sure that the name may be had; what to bind. */
    Path prepare() {
        try {
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                checkStale();
            }
            Files.deleteIfExists(bindPath);
            return bindPath;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void checkStale() throws IOException {
        boolean isSocket =
                Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                        .isOther();
        if (!isSocket) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "cannot listen: socket=" + path + ", expected=a socket, actual=another file");
        }
        if (answers()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen: socket=" + path + ", another server listens on it");
        }
    }

    private boolean answers() {
        try (SocketChannel probe = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return probe.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** Gives the bound socket its permissions and its name. */
    void publish(int mode) {
        try {
            Files.setPosixFilePermissions(bindPath, permissions(mode));
            Files.move(bindPath, path, StandardCopyOption.ATOMIC_MOVE);
            identity = identityOf(path);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Removes the file, unless it has become somebody else's. */
    void remove() {
        try {
            if (identity != null && Objects.equals(identity, identityOf(path))) {
                Files.delete(path);
            }
        } catch (IOException e) {
            // Gone already.
            identity = null;
        }
    }

    private static @Nullable Object identityOf(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                .fileKey();
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values();
        for (int i = 0; i < all.length; i++) {
            if ((mode & 0400 >> i) != 0) {
                permissions.add(all[i]);
            }
        }
        return permissions;
    }

    private BlockException failed(IOException e) {
        return new BlockException(
                BlockError.EIO, "cannot listen: socket=" + path + ", cause=" + Reason.of(e), e);
    }
}
