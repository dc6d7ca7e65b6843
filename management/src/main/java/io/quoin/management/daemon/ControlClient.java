package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Requests;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DataFolder;
import io.quoin.xlator.NameText;
import java.io.EOFException;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Gives commands to the daemon of a data folder.
 *
 * <p>Threading: confined to its thread.
 */
public final class ControlClient implements VolumeClient {
    private final SocketChannel channel;
    private final HttpExchange exchange;
    private final @Nullable String volume;

    private ControlClient(SocketChannel channel, @Nullable String volume) {
        this.channel = channel;
        this.volume = volume;
        this.exchange = new HttpExchange(channel);
    }

    /** Connects to the daemon; empty if none runs. */
    public static Optional<ControlClient> connect(DataFolder folder) {
        return connect(folder, null);
    }

    /**
     * As above.
     *
     * @param volume of names that have none; null: the default one, or the only one
     */
    public static Optional<ControlClient> connect(DataFolder folder, @Nullable String volume) {
        Path path = folder.controlSocket();
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        try {
            SocketChannel channel =
                    SocketPath.reach(
                            path,
                            reached -> SocketChannel.open(UnixDomainSocketAddress.of(reached)));
            return Optional.of(new ControlClient(channel, volume));
        } catch (IOException e) {
            if (Reason.errorOf(e) == BlockError.EPERM) {
                throw new BlockException(
                        BlockError.EPERM,
                        "no permission to control the daemon: socket="
                                + NameText.of(path)
                                + "; run this as the user that runs the daemon",
                        e);
            }
            return Optional.empty(); // left behind by a daemon that was killed
        }
    }

    @Override
    public <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        try {
            return exchange.call(type, Requests.treeOf(request), volume);
        } catch (EOFException e) {
            throw new BlockException(
                    BlockError.ESHUTDOWN, "the daemon ended before it answered: " + type.name(), e);
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO, "lost the connection to the daemon: reason=" + Reason.of(e), e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException ignored) {
            // Nothing was left to send.
        }
    }
}
