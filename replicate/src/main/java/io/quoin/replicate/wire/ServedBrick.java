package io.quoin.replicate.wire;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * What a {@link BrickServer} serves: one brick with all its files.
 *
 * <p>Threading: called on the server's loop; replies come on it too. Stages may complete on any
 * thread.
 */
public interface ServedBrick {
    /** Who it is; the same as long as it is served. */
    BrickIdentity identity();

    /**
     * Carries a request out.
     *
     * @param replies takes the reply, if there is one, now or later; it may be called for as long
     *     as the brick is served, also once the connection has ended
     */
    void receive(UUID file, Request request, Consumer<Reply> replies);

    /** Removes a file; done if there is none. */
    CompletionStage<Void> delete(UUID file);

    /** The files. */
    CompletionStage<List<UUID>> list();

    /** How much room there is. */
    CompletionStage<BrickSpace> space();

    /** What a file has promised; changes nothing. */
    CompletionStage<BrickProbe> probe(UUID file);
}
