package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The kernel's form of where a unix socket is: {@code struct sockaddr_un} (unix(7)), a family and a
 * path that ends with a NUL, or one of the abstract names, which begin with it.
 *
 * <p>Threading: immutable.
 */
final class UnixAddress {
    static final short FAMILY = 1;
    static final int BYTES_MAX = 110;
    private static final int PATH_BYTES_MAX = 108;

    private UnixAddress() {}

    /**
     * @param name a path, or an abstract name behind {@code @}
     */
    static byte[] encode(String name) {
        byte[] path = NameText.bytes(name);
        boolean isAbstract = path.length > 0 && path[0] == '@';
        if (isAbstract) {
            path[0] = 0;
        }
        int lengthBytes = path.length + (isAbstract ? 0 : 1);
        if (path.length == 0 || lengthBytes > PATH_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal address of a unix socket: name="
                            + name
                            + ", expected=1 to "
                            + (PATH_BYTES_MAX - 1)
                            + " bytes");
        }
        return ByteBuffer.allocate(Short.BYTES + lengthBytes)
                .order(ByteOrder.nativeOrder())
                .putShort(FAMILY)
                .put(path)
                .array();
    }

    /**
     * The path in an address.
     *
     * @throws BlockException EINVAL if it has none
     */
    static String path(byte[] address, int lengthBytes) {
        int end = Short.BYTES;
        while (end < lengthBytes && address[end] != 0) {
            end++;
        }
        if (end == Short.BYTES) {
            throw new BlockException(
                    BlockError.EINVAL, "unix socket has no path: expected=one in a folder");
        }
        return NameText.of(Arrays.copyOfRange(address, Short.BYTES, end));
    }
}
