package io.quoin.replicate;

import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * How a gateway's process reaches a brick: a folder of its own, or a daemon. There is one for each
 * brick of a volume, shared by all files. Stages fail with what went wrong, also when the link is
 * down.
 *
 * <p>Threading: the implementation says on which thread it is called, and calls the listener there.
 */
public interface BrickLink {
    /** Begins to connect, again and again until {@link #close}. Called once. */
    void open(Listener listener);

    /**
     * Sends; requests arrive in order, and after one that was dropped none of the same session
     * arrives. While the link is down each is dropped.
     */
    void send(UUID file, Request request);

    /** Deletes the file, durably; one that is not there is deleted. */
    CompletionStage<Void> delete(UUID file);

    /** The files there are. */
    CompletionStage<List<UUID>> list();

    /** The space there is. */
    CompletionStage<BrickSpace> space();

    /** Looks at a file without a promise. */
    CompletionStage<BrickProbe> probe(UUID file);

    /** What it reaches the brick by, for people. May be called by any thread. */
    String address();

    /** Why the link is not up; null while it is, or before it was tried. By any thread. */
    @Nullable String failure();

    /** Ends the link; the listener is told no more. */
    void close();

    /** What a link tells. */
    interface Listener {
        /** The link is up. */
        void connected(BrickIdentity identity);

        /** The link is down; answers that were owed do not come. */
        void disconnected(String reason);

        /** A brick has answered. */
        void received(UUID file, Reply reply);
    }
}
