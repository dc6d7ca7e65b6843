package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.net.InetSocketAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A TCP address: {@code 127.0.0.1:10809}, {@code [::1]:10809}, {@code host:0} for any free port.
 *
 * <p>Threading: immutable.
 *
 * @param host name or number, without brackets
 * @param port 0 to 65535
 */
public record ListenAddress(String host, int port) {
    private static final Pattern TEXT =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.%a-z]+)]|([^\\s:\\[\\]]+)):(\\d{1,5})");
    private static final int PORT_MAX = 65_535;

    /** Loopback, on the port that is assigned to NBD. */
    public static ListenAddress byDefault() {
        return new ListenAddress("127.0.0.1", 10_809);
    }

    /**
     * Reads an address.
     *
     * @throws BlockException with EINVAL, if {@code text} is none
     */
    public static ListenAddress parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches() || Integer.parseInt(matcher.group(3)) > PORT_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal address: value="
                            + text
                            + ", expected=HOST:PORT as in 127.0.0.1:10809 or [::1]:10809, port 0"
                            + " for any free one");
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        return new ListenAddress(host, Integer.parseInt(matcher.group(3)));
    }

    InetSocketAddress resolve() {
        InetSocketAddress address = new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "unknown host: name=" + host + "; choose another address with --listen");
        }
        return address;
    }

    ListenAddress withPort(int newPort) {
        return new ListenAddress(host, newPort);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
