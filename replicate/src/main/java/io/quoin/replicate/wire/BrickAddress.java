package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a brick is: {@code host:24007}, {@code [::1]:24007}.
 *
 * <p>Threading: immutable.
 *
 * @param host name or number, without brackets
 * @param port 0 to 65535; 0 picks a free one, for a server
 */
public record BrickAddress(String host, int port) {
    private static final Pattern TEXT =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.%a-z]+)]|([^\\s:\\[\\]]+)):(\\d{1,5})");
    private static final int PORT_MAX = 65_535;

    /**
     * Reads an address.
     *
     * @throws BlockException with EINVAL, if {@code text} is none
     */
    public static BrickAddress parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches() || Integer.parseInt(matcher.group(3)) > PORT_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal address of a brick: value="
                            + text
                            + ", expected=HOST:PORT as in 127.0.0.1:24007 or [::1]:24007");
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        return new BrickAddress(host, Integer.parseInt(matcher.group(3)));
    }

    static BrickAddress of(InetSocketAddress address) {
        return new BrickAddress(address.getAddress().getHostAddress(), address.getPort());
    }

    /**
     * Looks the name up; may block.
     *
     * @throws BlockException with EINVAL, if it is not known
     */
    InetSocketAddress resolve() {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new BlockException(BlockError.EINVAL, "unknown host: name=" + host);
        }
        return address;
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
