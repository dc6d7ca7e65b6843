package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Rules of unix socket paths: a length limit of the kernel's, and files that outlive their server.
 *
 * <p>Threading: immutable.
 */
final class SocketPath {
    /** sun_path has 108 bytes with the zero at its end (unix(7)). */
    private static final int LENGTH_MAX = 107;

    private SocketPath() {}

    /**
     * Checks the length of a path.
     *
     * @param suffix what is put behind it for a moment while the socket is made
     * @throws BlockException with EINVAL and {@code advice}, if no socket can have that path
     */
    static void check(Path path, String suffix, String advice) {
        int length = lengthBytes(path);
        int lengthMax = LENGTH_MAX - suffix.length();
        if (length > lengthMax) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "path is too long for a unix socket: path="
                            + path
                            + ", expected=at most "
                            + lengthMax
                            + " bytes, actual="
                            + length
                            + "; "
                            + advice);
        }
    }

    /** What is done with a path. */
    @FunctionalInterface
    interface Use<T> {
        T with(Path path) throws IOException;
    }

    /**
     * Uses a socket by a path that is short enough: its own, or one through a link that only this
     * user can see and that is gone afterwards.
     */
    static <T> T reach(Path path, Use<T> use) throws IOException {
        if (lengthBytes(path) <= LENGTH_MAX) {
            return use.with(path);
        }
        Path folder = Files.createTempDirectory(Path.of("/tmp"), "quoin-");
        Path link = folder.resolve("data");
        try {
            Files.createSymbolicLink(link, path.toAbsolutePath().getParent());
            return use.with(link.resolve(path.getFileName()));
        } finally {
            Files.deleteIfExists(link);
            Files.delete(folder);
        }
    }

    private static int lengthBytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    /**
     * Takes away what a killed server left; anything that is not a socket, or is served, stays.
     *
     * @throws BlockException with EBUSY or EEXIST, if the path cannot be used
     */
    static void clear(Path path) {
        try {
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                return;
            }
            if (!isSocket(path)) {
                throw new BlockException(
                        BlockError.EEXIST,
                        "something else is where the socket should be: path="
                                + path
                                + "; move it away, or choose another path");
            }
            if (isServed(path)) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "another server listens on the socket: path="
                                + path
                                + "; stop it, or choose another path");
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw Reason.failure("cannot prepare the socket", path, e);
        }
    }

    private static boolean isSocket(Path path) throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & 0170000) == 0140000;
    }

    private static boolean isServed(Path path) {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return reach(path, reached -> probe.connect(UnixDomainSocketAddress.of(reached)));
        } catch (IOException refused) {
            return false;
        }
    }
}
