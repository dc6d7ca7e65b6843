package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a brick is: a folder of this host, or a brick daemon.
 *
 * <p>Threading: immutable.
 *
 * @param text as it was given, a folder without {@code .} and {@code ..}
 * @param folder absolute path; null for a daemon
 * @param host of the daemon; null for a folder
 * @param port of the daemon; 0 for a folder
 */
record BrickAddress(String text, @Nullable Path folder, @Nullable String host, int port) {
    private static final Pattern DAEMON =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.%a-z]+)]|([^\\s:/\\[\\]]+)):(\\d{1,5})");
    private static final int PORT_MAX = 65_535;

    /**
     * Reads {@code /absolute/path} or {@code HOST:PORT}.
     *
     * @throws BlockException EINVAL for anything else
     */
    static BrickAddress of(String text) {
        if (text.startsWith("/")) {
            Path folder = NameText.path(text).normalize();
            if (folder.getParent() == null) {
                throw illegal(text, "a folder that is no root");
            }
            return new BrickAddress(NameText.of(folder), folder, null, 0);
        }
        Matcher matcher = DAEMON.matcher(text);
        if (!matcher.matches()) {
            throw illegal(
                    text,
                    text.contains(":/")
                            ? "/absolute/path of this host, or HOST:PORT of a brick daemon: bricks"
                                    + " of other hosts are reached by their daemons"
                            : "/absolute/path or HOST:PORT");
        }
        int port = Integer.parseInt(matcher.group(3));
        if (port < 1 || port > PORT_MAX) {
            throw illegal(text, "a port from 1 to " + PORT_MAX);
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        return new BrickAddress(text, null, host, port);
    }

    private static BlockException illegal(String text, String expected) {
        return new BlockException(
                BlockError.EINVAL, "illegal brick: value=" + text + ", expected=" + expected);
    }
}
