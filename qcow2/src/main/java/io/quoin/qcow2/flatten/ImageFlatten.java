package io.quoin.qcow2.flatten;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The flattening of one open image; docs/adr/0032 has the order.
 *
 * <pre>
 *  COPY    batch by batch, each in a turn of those of resizes and snapshots; a round of the flusher now and then
 *  ROUND   of the flusher: counts, data and entries are durable
 *  HEADER  without the name of the backing file and its format: one write of the first sector
 *  LEAVE   when no request is under way nothing lies behind in memory; the backing file is closed
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class ImageFlatten implements FlattenControl {
    /** A guest's flush does not have to wait for more of what was copied. */
    private static final long ROUND_BYTES = 32 << 20;

    private static final int NAMES_MAX = 5;

    private final OpenImage image;
    private final ImageParts parts;
    private final String fileName;
    private final Supplier<SnapshotTable> snapshots;
    private final boolean writable;
    private final Supplier<CompletionStage<Void>> left;
    private @Nullable FlattenWalk walk;
    private long roundBytes;
    private int under;
    private @Nullable CompletableFuture<Void> closing;

    /**
     * @param snapshots those of the image now
     * @param left called once nothing lies behind the image: closes the backing file
     */
    public ImageFlatten(
            OpenImage image,
            ImageParts parts,
            Supplier<SnapshotTable> snapshots,
            boolean writable,
            Supplier<CompletionStage<Void>> left) {
        this.image = image;
        this.parts = parts;
        this.fileName = parts.io().file().fileName();
        this.snapshots = snapshots;
        this.writable = writable;
        this.left = left;
    }

    /** Nothing begins any more, and what is under way ends soon. Complete when it has. */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> before = closing;
        CompletableFuture<Void> closed = before == null ? new CompletableFuture<>() : before;
        closing = closed;
        FlattenWalk running = walk;
        if (running != null) {
            running.stop();
        }
        if (under == 0) {
            closed.complete(null);
        }
        return closed;
    }

    @Override
    public Optional<String> parent() {
        return Optional.ofNullable(image.currentHeader().backingFile());
    }

    @Override
    public CompletionStage<Void> begin() {
        return inTurn(
                outcome -> {
                    requireNoSnapshots();
                    if (image.isFlattening()) {
                        throw refusal(BlockError.EBUSY, "image is being flattened already");
                    }
                    if (parent().isEmpty()) {
                        throw refusal(BlockError.EINVAL, "image has no backing file");
                    }
                    walk = new FlattenWalk(image);
                    roundBytes = 0;
                    image.flattening(true);
                    outcome.done(BlockError.OK);
                });
    }

    private void requireNoSnapshots() {
        List<SnapshotEntry> entries = snapshots.get().entries();
        if (!entries.isEmpty()) {
            String names =
                    entries.stream()
                            .limit(NAMES_MAX)
                            .map(SnapshotEntry::name)
                            .collect(Collectors.joining(", "));
            throw refusal(
                    BlockError.ENOTSUP,
                    "image has internal snapshots, which would still read its backing file; remove"
                            + " them first: snapshots="
                            + names
                            + (entries.size() > NAMES_MAX ? ", ..." : "")
                            + ", count="
                            + entries.size());
        }
    }

    @Override
    public CompletionStage<FlattenProgress> advance() {
        FlattenWalk running = walk;
        if (running == null) {
            return CompletableFuture.failedFuture(
                    refusal(BlockError.EINVAL, "no flatten has begun"));
        }
        return inTurn(
                        outcome ->
                                image.whenChangeable(
                                        outcome.ifOk(
                                                () ->
                                                        running.run(
                                                                outcome.ifOk(
                                                                        () ->
                                                                                copied(
                                                                                        running,
                                                                                        outcome))))))
                .thenApply(nothing -> running.progress(parent().isEmpty()));
    }

    /** A batch has been, in memory. */
    private void copied(FlattenWalk running, Outcome outcome) {
        if (running.isAtEnd()) {
            parts.flusher().flush(outcome.ifOk(() -> leaveHeader(running, outcome)));
        } else if (running.copiedBytes() - roundBytes >= ROUND_BYTES) {
            roundBytes = running.copiedBytes();
            parts.flusher().flush(outcome);
        } else {
            outcome.done(BlockError.OK);
        }
    }

    private void leaveHeader(FlattenWalk running, Outcome outcome) {
        parts.header()
                .changeExtensions(
                        ImageFlatten::withoutBacking,
                        outcome.ifOk(() -> running.leaveBacking(() -> leave(outcome))));
    }

    private static Qcow2Header withoutBacking(Qcow2Header header) {
        return header.toBuilder()
                .backingFile(null)
                .withoutExtension(HeaderExtension.BACKING_FORMAT)
                .build();
    }

    private void leave(Outcome outcome) {
        CompletionStage<Void> unused =
                left.get()
                        .whenCompleteAsync(
                                // That a file which was read cannot be closed well changes nothing.
                                (nothing, failure) -> outcome.done(BlockError.OK), image.loop());
    }

    @Override
    public void end() {
        if (walk != null) {
            walk = null;
            image.flattening(false);
        }
    }

    private CompletionStage<Void> inTurn(Consumer<Outcome> body) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        under++;
        image.turns()
                .take(
                        turnEnded -> {
                            try {
                                requireChangeable();
                                body.accept(error -> ended(error, turnEnded, done));
                            } catch (BlockException e) {
                                ended(e, turnEnded, done);
                            }
                        });
        return done;
    }

    private void ended(BlockError error, Runnable turnEnded, CompletableFuture<Void> done) {
        String reason = image.health().reason();
        ended(
                error.isOk()
                        ? null
                        : refusal(
                                error,
                                "image is not flattened: "
                                        + error.text()
                                        + (reason.isEmpty() ? "" : ", " + reason)),
                turnEnded,
                done);
    }

    private void ended(
            @Nullable BlockException failure, Runnable turnEnded, CompletableFuture<Void> done) {
        under--;
        CompletableFuture<Void> closed = closing;
        boolean isLast = under == 0 && closed != null;
        turnEnded.run();
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure);
        }
        if (isLast && closed != null) {
            closed.complete(null);
        }
    }

    private void requireChangeable() {
        if (closing != null) {
            throw refusal(BlockError.ESHUTDOWN, "image is being closed");
        }
        if (!writable) {
            throw refusal(BlockError.EPERM, "image is open read-only");
        }
        if (!image.health().isWritable()) {
            throw refusal(image.health().refusal(), image.health().reason());
        }
    }

    private BlockException refusal(BlockError error, String why) {
        return new BlockException(error, "flatten: file=" + fileName + ", " + why);
    }
}
