package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Which disks are open and how many hold each. The first to attach opens the disk, the last to
 * detach closes it; what needs a disk closed (removing it, looking into its image) takes its turn
 * with them, so that none of them sees another half done.
 *
 * <pre>
 *   idle --attach--> open(users=1) --attach/detach--> open(users=n) --last detach--> closing --> idle
 *   idle --alone--> busy --> idle;   an attach in closing or busy waits for its end
 *   idle --attachAlone--> open(users=1), until that one detaches: others are refused
 * </pre>
 *
 * <p>Threading: thread-safe.
 */
final class OpenDisks {
    private static final Logger LOG = LoggerFactory.getLogger(OpenDisks.class);

    private final Xlator graph;
    private final LoopGroup loops;
    private final Map<String, Slot> slots = new HashMap<>();
    private boolean closed;

    /** A disk that is in use, or was a moment ago. Guarded by {@link #slots}. */
    private static final class Slot {
        private int users;

        /** The open disk, or its opening; null while it is not held. */
        private @Nullable CompletableFuture<OpenDisk> open;

        /** Ends, always well, when what went on before has ended. */
        private CompletableFuture<Void> before = CompletableFuture.completedFuture(null);

        /** Why its only user has it alone; null: others may attach it too. */
        private @Nullable String whyAlone;
    }

    OpenDisks(Xlator graph, LoopGroup loops) {
        this.graph = graph;
        this.loops = loops;
    }

    CompletionStage<AttachedDisk> attach(String name) {
        CompletableFuture<OpenDisk> opening = new CompletableFuture<>();
        CompletableFuture<OpenDisk> open;
        CompletableFuture<Void> before;
        synchronized (slots) {
            if (closed) {
                return CompletableFuture.failedFuture(shuttingDown(name));
            }
            Slot slot = slots.computeIfAbsent(name, none -> new Slot());
            if (slot.whyAlone != null) {
                return CompletableFuture.failedFuture(hasOne(name, slot.whyAlone));
            }
            slot.users++;
            if (slot.open == null) {
                slot.open = opening;
            }
            open = slot.open;
            before = slot.before;
        }
        if (open == opening) {
            relay(before.thenCompose(none -> open(name)), opening);
        }
        return attached(name, open);
    }

    /**
     * Attaches a disk that nothing has, and keeps others from it until it is detached; they are
     * refused (EBUSY).
     *
     * @param why for them
     * @param first runs before it is opened, while nothing else can open it
     */
    CompletionStage<AttachedDisk> attachAlone(
            String name, String why, Supplier<CompletionStage<Void>> first) {
        CompletableFuture<OpenDisk> opening = new CompletableFuture<>();
        CompletableFuture<Void> before;
        synchronized (slots) {
            if (closed) {
                return CompletableFuture.failedFuture(shuttingDown(name));
            }
            Slot slot = slots.computeIfAbsent(name, none -> new Slot());
            if (slot.open != null) {
                return CompletableFuture.failedFuture(busy(name, slot.users));
            }
            slot.users = 1;
            slot.open = opening;
            slot.whyAlone = why;
            before = slot.before;
        }
        relay(before.thenCompose(none -> first.get()).thenCompose(none -> open(name)), opening);
        return attached(name, opening);
    }

    private CompletionStage<AttachedDisk> attached(String name, CompletableFuture<OpenDisk> open) {
        return open.handle(
                        (disk, failure) -> {
                            if (failure == null) {
                                return CompletableFuture.completedFuture(
                                        new AttachedDisk(name, disk, this));
                            }
                            return detach(name)
                                    .<AttachedDisk>thenCompose(
                                            none -> CompletableFuture.failedFuture(failure));
                        })
                .thenCompose(Function.identity());
    }

    /** One user less; completes when the disk is closed, if it was the last. */
    CompletionStage<Void> detach(String name) {
        CompletableFuture<Void> closing = new CompletableFuture<>();
        CompletableFuture<OpenDisk> open;
        synchronized (slots) {
            Slot slot = slots.get(name);
            if (slot == null || slot.open == null || --slot.users > 0) {
                return CompletableFuture.completedFuture(null);
            }
            open = slot.open;
            slot.open = null;
            slot.whyAlone = null;
            slot.before = endOf(closing);
        }
        relay(
                closeOpened(open)
                        .whenComplete(
                                (none, failure) -> {
                                    if (failure != null) {
                                        closedWithAnError(name, failure);
                                    }
                                }),
                closing);
        forgetWhenIdle(name);
        return closing;
    }

    /** An error of storage needs no stack. */
    private static void closedWithAnError(String name, Throwable failure) {
        BlockException why = Stages.asBlockException(failure);
        if (why.getCause() == null) {
            LOG.error("Disk closed with an error: name={}, reason={}", name, why.getMessage());
        } else {
            LOG.error("Disk closed with an error: name={}", name, failure);
        }
    }

    /** Runs {@code call} while the disk is not held; EBUSY if it is. */
    <T> CompletionStage<T> alone(String name, Supplier<CompletionStage<T>> call) {
        CompletableFuture<T> result = new CompletableFuture<>();
        CompletableFuture<Void> before;
        synchronized (slots) {
            if (closed) {
                return CompletableFuture.failedFuture(shuttingDown(name));
            }
            Slot slot = slots.computeIfAbsent(name, none -> new Slot());
            if (slot.open != null) {
                return CompletableFuture.failedFuture(busy(name, slot.users));
            }
            before = slot.before;
            slot.before = endOf(result);
        }
        relay(before.thenCompose(none -> call.get()), result);
        forgetWhenIdle(name);
        return result;
    }

    /** The disk while it is held. */
    @Nullable CompletionStage<OpenDisk> present(String name) {
        synchronized (slots) {
            Slot slot = slots.get(name);
            return slot == null ? null : slot.open;
        }
    }

    /** Those that are open now, by name. */
    Map<String, OpenDisk> opened() {
        Map<String, OpenDisk> opened = new HashMap<>();
        synchronized (slots) {
            slots.forEach(
                    (name, slot) -> {
                        CompletableFuture<OpenDisk> open = slot.open;
                        if (open != null && open.isDone() && !open.isCompletedExceptionally()) {
                            opened.put(name, open.join());
                        }
                    });
        }
        return opened;
    }

    /** EBUSY while the disk is held. */
    void requireUnused(String name) {
        int users = users(name);
        if (users > 0) {
            throw busy(name, users);
        }
    }

    /** How many hold each of those that are held and have such a name. */
    Map<String, Integer> users(Predicate<String> names) {
        Map<String, Integer> users = new TreeMap<>();
        synchronized (slots) {
            slots.forEach(
                    (name, slot) -> {
                        if (slot.users > 0 && names.test(name)) {
                            users.put(name, slot.users);
                        }
                    });
        }
        return users;
    }

    int users(String name) {
        synchronized (slots) {
            Slot slot = slots.get(name);
            return slot == null ? 0 : slot.users;
        }
    }

    /** Refuses new users and closes every disk, held or not. */
    CompletionStage<Void> close() {
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        synchronized (slots) {
            closed = true;
            for (Map.Entry<String, Slot> entry : slots.entrySet()) {
                String name = entry.getKey();
                Slot slot = entry.getValue();
                CompletableFuture<OpenDisk> open = slot.open;
                slot.open = null;
                slot.users = 0;
                ends.add(open == null ? slot.before : closeForGood(name, open));
            }
            slots.clear();
        }
        return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    }

    /** As {@link #closeOpened}; storage that does not answer is given up in the end. */
    private static CompletableFuture<Void> closeForGood(
            String name, CompletableFuture<OpenDisk> open) {
        CompletableFuture<Void> closed = closeOpened(open);
        return open.handle((disk, failure) -> Optional.ofNullable(failure == null ? disk : null))
                .thenCompose(
                        disk ->
                                disk.isEmpty()
                                        ? closed
                                        : new SlowClose(name, disk.get(), closed).watch());
    }

    /** For writing; a disk that others stand on for reading. */
    private CompletionStage<OpenDisk> open(String name) {
        Loop loop = loops.next();
        return graph.open(name, heard(OpenOptions.READ_WRITE, name), loop)
                .thenComposeAsync(opened -> OpenDisk.of(opened, loop, null), loop)
                .handle(
                        (disk, failure) ->
                                failure == null
                                        ? CompletableFuture.completedFuture(disk)
                                        : openReadOnly(
                                                name, loop, Stages.asBlockException(failure)))
                .thenCompose(Function.identity());
    }

    private CompletionStage<OpenDisk> openReadOnly(String name, Loop loop, BlockException why) {
        if (why.error() != BlockError.EROFS) {
            return CompletableFuture.failedFuture(why);
        }
        LOG.debug("Disk is served read-only: name={}, reason={}", name, why.getMessage());
        return graph.open(name, heard(OpenOptions.READ_ONLY, name), loop)
                .thenComposeAsync(opened -> OpenDisk.of(opened, loop, why.getMessage()), loop);
    }

    /** The same; what happens to the disk meanwhile is logged. */
    private static OpenOptions heard(OpenOptions options, String name) {
        return options.listener(
                event -> {
                    switch (event.kind()) {
                        case RESIZED, CHILD_UP, CAPABILITIES_CHANGED ->
                                log(Level.INFO, name, event);
                        case CHILD_DOWN, SPACE_LOW, FENCED -> log(Level.WARN, name, event);
                    }
                });
    }

    private static void log(Level level, String name, FileEvent event) {
        LOG.atLevel(level)
                .log(
                        "disk: name={}, event={}, node={}, {}",
                        name,
                        event.kind(),
                        event.node(),
                        event.text());
    }

    /** Completes when no disk is any more in the middle of being let go. */
    CompletionStage<Void> settled(String name) {
        synchronized (slots) {
            Slot slot = slots.get(name);
            return slot == null || slot.open != null
                    ? CompletableFuture.completedFuture(null)
                    : slot.before;
        }
    }

    /** Takes the slot out once what goes on in it has ended and nothing has come since. */
    private void forgetWhenIdle(String name) {
        CompletableFuture<Void> before;
        synchronized (slots) {
            Slot slot = slots.get(name);
            if (slot == null) {
                return;
            }
            before = slot.before;
        }
        relay(
                before.thenRun(
                        () -> {
                            synchronized (slots) {
                                Slot slot = slots.get(name);
                                if (slot != null && slot.open == null && slot.before == before) {
                                    slots.remove(name);
                                }
                            }
                        }),
                new CompletableFuture<Void>());
    }

    private static <T> CompletableFuture<Void> endOf(CompletableFuture<T> future) {
        return future.handle((result, failure) -> null);
    }

    /** Closes a disk once it is open; there is nothing to close if it could not be opened. */
    private static CompletableFuture<Void> closeOpened(CompletableFuture<OpenDisk> open) {
        return open.handle((disk, failure) -> Optional.ofNullable(failure == null ? disk : null))
                .thenCompose(
                        disk ->
                                disk.map(OpenDisk::close)
                                        .orElseGet(() -> CompletableFuture.completedFuture(null)));
    }

    // The target is what is waited for.
    @SuppressWarnings("FutureReturnValueIgnored")
    private static <T> void relay(CompletionStage<T> source, CompletableFuture<T> target) {
        source.whenComplete(
                (result, failure) -> {
                    if (failure == null) {
                        target.complete(result);
                    } else {
                        target.completeExceptionally(failure);
                    }
                });
    }

    private static BlockException busy(String name, int users) {
        return new BlockException(
                BlockError.EBUSY,
                "disk is in use: name="
                        + name
                        + ", connections="
                        + users
                        + "; detach it first, then try again");
    }

    private static BlockException hasOne(String name, String why) {
        return new BlockException(
                BlockError.EBUSY, "disk is in use: name=" + name + ", by=" + why + "; wait for it");
    }

    private static BlockException shuttingDown(String name) {
        return new BlockException(
                BlockError.ESHUTDOWN, "the volume is shutting down: disk=" + name);
    }
}
