package io.quoin.nbd.client;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The address of an export (the NBD URI specification): {@code nbd://host:port/export} or {@code
 * nbd+unix:///export?socket=PATH}. Without a name it is the server's default export.
 *
 * <p>Threading: immutable.
 *
 * @param host of TCP, else null
 * @param port of TCP
 * @param socket the unix socket, else null
 * @param exportName decoded; may be empty
 */
public record NbdUri(@Nullable String host, int port, @Nullable Path socket, String exportName) {
    private static final int PORT = 10809;
    private static final int PORT_MAX = 65535;
    private static final String TCP = "nbd";
    private static final String UNIX = "nbd+unix";
    private static final String SOCKET = "socket=";

    /** Authority of RFC 3986: user@host:port, where user says nothing without TLS. */
    private static final Pattern SERVER =
            Pattern.compile(
                    "(?:[^@]*@)?(?:\\[(?<ipv6>[0-9A-Fa-f:.]+(?:%[^\\[\\]]+)?)]|(?<host>[^\\[\\]:@]+))"
                            + "(?::(?<port>[0-9]*))?");

    /** Whether the text begins as an NBD address, of whatever kind. */
    public static boolean isUri(String text) {
        return text.matches("nbds?(\\+[a-z]+)?:.*");
    }

    /**
     * Reads an address.
     *
     * @throws BlockException EINVAL saying what is wrong; ENOTSUP for kinds that are not spoken
     */
    public static NbdUri parse(String text) {
        URI uri;
        try {
            // nbdkit leaves out the path of the default export, which URI takes for an error.
            uri = new URI(text.replaceFirst("^nbd\\+unix://\\?", "nbd+unix:///?"));
        } catch (URISyntaxException e) {
            throw illegal(text, "nbd://host:port/export or nbd+unix:///export?socket=PATH", e);
        }
        String path = uri.getRawPath() == null ? "" : uri.getRawPath();
        String name = decode(path.startsWith("/") ? path.substring(1) : path);
        return switch (String.valueOf(uri.getScheme())) {
            case TCP -> tcp(text, uri, name);
            case UNIX -> unix(text, uri, name);
            default ->
                    throw new BlockException(
                            BlockError.ENOTSUP,
                            "NBD address of a kind that is not supported: address="
                                    + text
                                    + ", expected=nbd or nbd+unix, actual="
                                    + uri.getScheme());
        };
    }

    private static NbdUri tcp(String text, URI uri, String name) {
        if (uri.getRawQuery() != null) {
            throw illegal(text, "no query", null);
        }
        // Not URI.getHost, which knows no underscore: names of containers have them.
        Matcher server = SERVER.matcher(String.valueOf(uri.getRawAuthority()));
        if (uri.getRawAuthority() == null || !server.matches()) {
            throw illegal(text, "a host, as in nbd://host:port/export", null);
        }
        String digits = server.group("port");
        int port = digits == null || digits.isEmpty() ? PORT : port(digits);
        if (port <= 0 || port > PORT_MAX) {
            throw illegal(text, "a port from 1 to 65535", null);
        }
        String ipv6 = server.group("ipv6");
        return new NbdUri(decode(ipv6 == null ? server.group("host") : ipv6), port, null, name);
    }

    private static int port(String digits) {
        try {
            return Integer.parseInt(digits);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static NbdUri unix(String text, URI uri, String name) {
        String query = uri.getRawQuery();
        boolean isSocket =
                query != null && query.startsWith(SOCKET) && query.length() > SOCKET.length();
        if (!isSocket || query.indexOf('&') >= 0) {
            throw illegal(text, "one socket, as in nbd+unix:///export?socket=PATH", null);
        }
        if (uri.getRawAuthority() != null) {
            throw illegal(text, "no host with a unix socket", null);
        }
        try {
            Path socket = NameText.path(decodeName(query.substring(SOCKET.length())));
            return new NbdUri(null, 0, socket, name);
        } catch (BlockException e) {
            throw illegal(text, "a path that a file can have behind socket=", e);
        }
    }

    /** Percent signs alone: a plus is a plus. */
    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Of a path the bytes count, UTF-8 or not. */
    private static String decodeName(String text) {
        String bytes =
                URLDecoder.decode(
                        new String(NameText.bytes(text.replace("+", "%2B")), ISO_8859_1),
                        ISO_8859_1);
        return NameText.of(bytes.getBytes(ISO_8859_1));
    }

    private static BlockException illegal(String text, String expected, @Nullable Exception cause) {
        return new BlockException(
                BlockError.EINVAL,
                "illegal NBD address: address=" + text + ", expected=" + expected,
                cause);
    }

    /** For messages: where the server is. */
    public String server() {
        if (socket != null) {
            return NameText.of(socket);
        }
        boolean isIpv6 = String.valueOf(host).contains(":");
        return (isIpv6 ? "[" + host + "]" : host) + ":" + port;
    }
}
