package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The backing files that are open, each once for all images of a loop that stand on it: its tables
 * are in memory once, however many overlays it has. The first to come opens it, the last to go
 * closes it.
 *
 * <pre>
 *   opening --opened--> open(users=n) --last close--> closed
 *      '-----failed---> closed, for all that waited;  what comes then opens it anew
 * </pre>
 *
 * <p>Threading: thread-safe map of what is confined to one loop each.
 */
public final class SharedParents {
    private final Map<Loop, Map<Key, Parent>> byLoop = new ConcurrentHashMap<>();

    /**
     * What is the same file read in the same way.
     *
     * @param fileId so that a file which has been replaced is not taken for its successor
     */
    public record Key(String name, String format, long fileId) {}

    /**
     * A backing file that is open or being opened.
     *
     * <p>Threading: confined(loop).
     */
    static final class Parent {
        private final Key key;
        private final CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        private int users;

        /** The backing file's own one, once it is known. */
        private @Nullable Parent below;

        private Parent(Key key) {
            this.key = key;
        }

        /** How many files there are from here down, as far as is known. */
        private int depth() {
            int depth = 0;
            for (Parent at = this; at != null; at = at.below) {
                depth++;
            }
            return depth;
        }

        private boolean leadsTo(Parent other) {
            for (Parent at = this; at != null; at = at.below) {
                if (at == other) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * Opens a backing file, or joins those that have it open; on the loop.
     *
     * @param chain of the image above it
     * @param opening opens it, given its chain; the stage completes on the loop
     * @throws BlockException EINVAL if the chain is a loop
     */
    public CompletionStage<XlatorFile> open(
            Key key, Loop loop, Chain chain, Function<Chain, CompletionStage<XlatorFile>> opening) {
        Map<Key, Parent> parents = byLoop.computeIfAbsent(loop, none -> new HashMap<>());
        Parent known = parents.get(key);
        Parent parent = known == null ? new Parent(key) : known;
        Parent above = chain.parent();
        if (above != null) {
            // Two that are being opened would wait for one another for ever.
            if (parent.leadsTo(above)) {
                throw chain.loop(key.name());
            }
            above.below = parent;
        }
        parent.users++;
        if (known == null) {
            parents.put(key, parent);
            start(parent, parents, () -> opening.apply(chain.with(key.name(), parent)));
        }
        return parent.opened.thenCompose(
                file -> {
                    Handle handle = new Handle(file, parent, parents);
                    return chain.length() + parent.depth() <= Chain.LENGTH_MAX
                            ? CompletableFuture.<XlatorFile>completedFuture(handle)
                            : handle.close()
                                    .thenCompose(
                                            nothing ->
                                                    CompletableFuture.<XlatorFile>failedFuture(
                                                            chain.tooLong()));
                });
    }

    // What fails ends in the future.
    @SuppressWarnings("FutureReturnValueIgnored")
    private static void start(
            Parent parent,
            Map<Key, Parent> parents,
            java.util.function.Supplier<CompletionStage<XlatorFile>> opening) {
        CompletionStage<XlatorFile> stage;
        try {
            stage = opening.get();
        } catch (BlockException e) {
            stage = CompletableFuture.failedFuture(e);
        }
        stage.whenComplete(
                (file, failure) -> {
                    if (failure == null) {
                        parent.opened.complete(file);
                    } else {
                        parents.remove(parent.key, parent);
                        parent.opened.completeExceptionally(failure);
                    }
                });
    }

    /**
     * One image's use of a backing file.
     *
     * <p>Threading: confined(loop).
     */
    private static final class Handle extends PassThroughFile {
        private final Parent parent;
        private final Map<Key, Parent> parents;
        private boolean closed;

        Handle(XlatorFile file, Parent parent, Map<Key, Parent> parents) {
            super(file);
            this.parent = parent;
            this.parents = parents;
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            return refused();
        }

        @Override
        public CompletionStage<Void> shrink(long newSizeBytes) {
            return refused();
        }

        private CompletionStage<Void> refused() {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EPERM, "backing file is read-only: file=" + fileName()));
        }

        /** While others use the file its requests are theirs too, and end when they end. */
        @Override
        public void abort(BlockError error) {
            if (parent.users == 1) {
                below().abort(error);
            }
        }

        @Override
        public CompletionStage<Void> close() {
            if (closed || --parent.users > 0) {
                closed = true;
                return CompletableFuture.completedFuture(null);
            }
            closed = true;
            parents.remove(parent.key, parent);
            return below().close();
        }
    }
}
