package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A listening unix socket that the process which started this one has made, as systemd does by a
 * socket unit (sd_listen_fds(3)).
 *
 * <p>Threading: immutable.
 *
 * @param descriptor its number; whatever takes clients in there closes it
 * @param path where clients find it; it is the other process's, and not to be removed
 */
public record InheritedSocket(int descriptor, Path path) {
    private static final int SO_TYPE = 3;
    private static final int SO_ACCEPTCONN = 30;
    private static final int SO_DOMAIN = 39;
    private static final int SOCK_STREAM = 1;

    /**
     * Takes it over: calls on it do not wait any more, and programs that are started do not get it.
     *
     * @throws BlockException EINVAL naming the descriptor, if it is no listening unix socket with a
     *     path
     */
    public static InheritedSocket take(int descriptor) {
        requireOption(descriptor, SO_DOMAIN, UnixAddress.FAMILY);
        requireOption(descriptor, SO_TYPE, SOCK_STREAM);
        requireOption(descriptor, SO_ACCEPTCONN, 1);
        UnsafeBuffer address = new UnsafeBuffer(ByteBuffer.allocateDirect(UnixAddress.BYTES_MAX));
        int lengthBytes = SystemCalls.socketName(descriptor, address);
        int result =
                lengthBytes < 0 ? lengthBytes : SystemCalls.setNonBlockingAndPrivate(descriptor);
        if (result < 0) {
            throw Errno.exception("take over the socket", "descriptor=" + descriptor, -result);
        }
        byte[] bytes = new byte[Math.min(lengthBytes, UnixAddress.BYTES_MAX)];
        address.getBytes(0, bytes);
        return new InheritedSocket(
                descriptor, NameText.path(UnixAddress.path(bytes, bytes.length)));
    }

    private static void requireOption(int descriptor, int name, int expected) {
        int actual = SystemCalls.socketOption(descriptor, name);
        if (actual != expected) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "what was handed over is no socket that clients can be taken in at: descriptor="
                            + descriptor
                            + ", expected=a listening unix stream socket, as of"
                            + " ListenStream=/run/quoin/nbd.sock");
        }
    }
}
