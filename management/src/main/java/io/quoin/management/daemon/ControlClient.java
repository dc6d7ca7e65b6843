package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.xlator.NameText;
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
public final class ControlClient implements Commands {
    private final SocketChannel channel;
    private final StringBuilder rest = new StringBuilder();

    private ControlClient(SocketChannel channel) {
        this.channel = channel;
    }

    /** Connects to the daemon; empty if none runs. */
    public static Optional<ControlClient> connect(DataFolder folder) {
        Path path = folder.controlSocket();
        if (!Files.exists(path)) {
            return Optional.empty();
        }
        try {
            SocketChannel channel =
                    SocketPath.reach(
                            path,
                            reached -> SocketChannel.open(UnixDomainSocketAddress.of(reached)));
            return Optional.of(new ControlClient(channel));
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
    public JsonNode call(String command, ObjectNode arguments, CheckEvents events) {
        try {
            ControlProtocol.send(channel, ControlProtocol.request(command, arguments));
            String line = receive();
            while (line != null && ControlProtocol.isEvent(line, events)) {
                line = receive();
            }
            if (line == null) {
                throw new BlockException(
                        BlockError.ESHUTDOWN, "the daemon ended before it answered: " + command);
            }
            return ControlProtocol.result(line);
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO, "lost the connection to the daemon: reason=" + Reason.of(e), e);
        }
    }

    private @Nullable String receive() throws IOException {
        return ControlProtocol.receive(channel, rest, ControlProtocol.ANSWER_BYTES_MAX);
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
