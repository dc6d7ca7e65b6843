package io.quoin.management.guest;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.guest.TimedSocket.NoAnswerException;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A guest with a QEMU guest agent behind a unix socket, which has one client at a time. Source:
 * QEMU Guest Agent Protocol Reference, guest-fsfreeze-freeze, -thaw, -status.
 *
 * <p>Threading: as {@link Guest}.
 */
final class GuestAgent implements Guest {
    /** An agent that does not answer a thaw for so long is asked again. */
    private static final long ASK_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long PAUSE_MILLIS = 50;

    private final Path socket;
    private @Nullable AgentConnection connection;
    private boolean isSynced;

    GuestAgent(Path socket) {
        this.socket = socket;
    }

    @Override
    public String text() {
        return "agent=" + NameText.of(socket);
    }

    @Override
    public int freeze(long deadlineNanos) {
        try {
            return call("guest-fsfreeze-freeze", deadlineNanos).asInt(0);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Until the agent says that they go on: an answer to an earlier try may have been lost. */
    @Override
    public int thaw(long deadlineNanos) {
        int thawed = 0;
        try {
            while (true) {
                try {
                    long soon =
                            System.nanoTime()
                                    + Math.min(ASK_AGAIN_NANOS, deadlineNanos - System.nanoTime());
                    thawed += call("guest-fsfreeze-thaw", soon).asInt(0);
                    if (call("guest-fsfreeze-status", soon).asText().equals("thawed")) {
                        return thawed;
                    }
                } catch (IOException | BlockException e) {
                    if (deadlineNanos - System.nanoTime() <= 0) {
                        throw failure(e);
                    }
                }
                if (deadlineNanos - System.nanoTime() <= 0) {
                    throw failure(new IOException("file systems are not thawed in time"));
                }
                pause();
            }
        } finally {
            disconnect();
        }
    }

    private JsonNode call(String command, long deadlineNanos) throws IOException {
        try {
            AgentConnection open = connection;
            if (open == null) {
                open = AgentConnection.open(socket);
                connection = open;
            }
            if (!isSynced) {
                open.sync(ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE), deadlineNanos);
                isSynced = true;
            }
            return open.call(command, deadlineNanos);
        } catch (NoAnswerException e) {
            // The answer may come yet.
            isSynced = false;
            throw e;
        } catch (IOException e) {
            disconnect();
            throw e;
        }
    }

    private void disconnect() {
        AgentConnection open = connection;
        connection = null;
        isSynced = false;
        if (open != null) {
            open.close();
        }
    }

    private void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(e);
        }
    }

    private BlockException failure(Exception cause) {
        if (cause instanceof BlockException refused) {
            return refused.about(text());
        }
        BlockError error =
                cause instanceof NoAnswerException ? BlockError.ETIMEDOUT : BlockError.EIO;
        return new BlockException(error, text() + ", reason=" + Reason.of(cause), cause);
    }
}
