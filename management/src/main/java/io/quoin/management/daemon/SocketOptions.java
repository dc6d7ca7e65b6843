package io.quoin.management.daemon;

import io.quoin.brick.posix.InheritedSocket;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The unix socket for NBD.
 *
 * <p>Threading: immutable.
 *
 * @param path where it is made, or was made
 * @param mode its permissions, as in 0660
 * @param group whose it is; null for that of the process
 * @param inherited the one that listens already; then mode and group are its maker's matter
 */
public record SocketOptions(
        Path path, int mode, @Nullable String group, @Nullable InheritedSocket inherited) {
    public SocketOptions {
        path = NameText.absolute(path).normalize();
    }

    /** One that is made. */
    public SocketOptions(Path path, int mode) {
        this(path, mode, null, null);
    }

    /** One that was handed over. */
    public static SocketOptions of(InheritedSocket inherited) {
        return new SocketOptions(inherited.path(), DaemonOptions.SOCKET_MODE, null, inherited);
    }
}
