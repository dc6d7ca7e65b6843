package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
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
     * @param asideBytes length of the name, in the same folder, under which the socket is made
     * @throws BlockException with EINVAL and {@code advice}, if no socket can have that path
     */
    static void check(Path path, int asideBytes, String advice) {
        int nameBytes = NameText.bytes(NameText.lastOf(path)).length;
        int length = lengthBytes(path);
        int lengthMax = LENGTH_MAX - Math.max(0, asideBytes - nameBytes);
        if (length > lengthMax) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "path is too long for a unix socket: path="
                            + NameText.of(path)
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
            Files.createSymbolicLink(link, NameText.absolute(path).getParent());
            return use.with(link.resolve(path.getFileName()));
        } finally {
            Files.deleteIfExists(link);
            Files.delete(folder);
        }
    }

    private static int lengthBytes(Path path) {
        return NameText.bytes(NameText.of(path)).length;
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
                                + NameText.of(path)
                                + "; move it away, or choose another path");
            }
            if (isServed(path)) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "another server listens on the socket: path="
                                + NameText.of(path)
                                + "; stop it, or choose another path");
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw Reason.failure("cannot prepare the socket", NameText.of(path), e);
        }
    }

    private static boolean isSocket(Path path) throws IOException {
        int mode = (Integer) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        return (mode & 0170000) == 0140000;
    }

    /** A server that is too busy, or another user's, is a server: only a refusal says none. */
    private static boolean isServed(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false); // one whose queue is full would keep this waiting
            reach(path, reached -> probe.connect(UnixDomainSocketAddress.of(reached)));
            return true;
        } catch (ConnectException refused) {
            return false;
        } catch (SocketException unknown) {
            return true;
        }
    }
}
