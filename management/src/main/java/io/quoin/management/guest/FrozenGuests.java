package io.quoin.management.guest;

import io.quoin.block.BlockException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Guests that stand still for a moment: all at once, and never for longer than has to be. They are
 * thawed when this is closed, and when the process is ended meanwhile.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class FrozenGuests implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FrozenGuests.class);
    private static final int UNKNOWN = -1;

    private static final Executor THREADS =
            task -> {
                Thread thread = new Thread(task, "quoin-guest");
                thread.setDaemon(true);
                thread.start();
            };

    private final List<Guest> guests;
    private final long limitNanos;
    private final Consumer<String> messages;
    private final Thread atExit = new Thread(this::close, "quoin-thaw");
    private final List<Integer> counts = new ArrayList<>();
    private boolean isThawed;
    private boolean isWhole;

    private FrozenGuests(FreezeOptions options, Consumer<String> messages) {
        this.guests = options.guests();
        this.limitNanos = options.limitNanos();
        this.messages = messages;
    }

    /**
     * Freezes them. Where one cannot be, the others are all the same; {@link #stoodStill} tells.
     *
     * @param messages told what went wrong, a line for a person
     */
    public static FrozenGuests freeze(FreezeOptions options, Consumer<String> messages) {
        FrozenGuests frozen = new FrozenGuests(options, messages);
        if (!frozen.guests.isEmpty()) {
            frozen.freeze();
        }
        return frozen;
    }

    private synchronized void freeze() {
        // Before the first is frozen: from then on they are thawed whatever happens.
        Runtime.getRuntime().addShutdownHook(atExit);
        long deadline = System.nanoTime() + limitNanos;
        counts.addAll(all(guest -> guest.freeze(deadline), "not frozen"));
    }

    /**
     * Whether all file systems of all guests stood still until they were thawed; false while they
     * are not thawed, and if there is no guest.
     */
    public synchronized boolean stoodStill() {
        return isWhole;
    }

    /** Thaws them, once. */
    @Override
    public synchronized void close() {
        if (isThawed || guests.isEmpty()) {
            return;
        }
        isThawed = true;
        long deadline = System.nanoTime() + limitNanos;
        List<Integer> thawed = all(guest -> guest.thaw(deadline), "may be frozen still");
        // Thawed by the end of the process, they may have gone on before the disks were cut.
        isWhole = Thread.currentThread() != atExit && counts.size() == guests.size();
        for (int i = 0; i < guests.size() && isWhole; i++) {
            int before = counts.get(i);
            int after = thawed.get(i);
            isWhole = before > 0 && before == after;
            if (before != UNKNOWN && after != UNKNOWN && !isWhole) {
                tell(guests.get(i).text(), before, after);
            }
        }
        if (Thread.currentThread() != atExit) {
            removeHook();
        }
    }

    private void tell(String guest, int before, int after) {
        messages.accept(
                "file systems did not all stand still: "
                        + guest
                        + ", frozen="
                        + before
                        + ", thawed="
                        + after);
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            LOG.debug("The process is ending while guests are thawed", e);
        }
    }

    /** On a thread each: they stand still for no longer than the slowest takes. */
    private List<Integer> all(Function<Guest, Integer> call, String otherwise) {
        List<CompletableFuture<Integer>> running =
                guests.stream()
                        .map(
                                guest ->
                                        CompletableFuture.supplyAsync(
                                                () -> call.apply(guest), THREADS))
                        .toList();
        List<Integer> results = new ArrayList<>();
        for (int i = 0; i < guests.size(); i++) {
            try {
                results.add(running.get(i).join());
            } catch (CompletionException e) {
                results.add(UNKNOWN);
                failed(guests.get(i), otherwise, e);
            }
        }
        return results;
    }

    private void failed(Guest guest, String otherwise, CompletionException e) {
        String reason =
                e.getCause() instanceof BlockException known
                        ? String.valueOf(known.getMessage())
                        : guest.text() + ", reason=" + e.getCause();
        LOG.warn("Guest {}: {}", otherwise, reason);
        messages.accept("guest " + otherwise + ": " + reason);
    }
}
