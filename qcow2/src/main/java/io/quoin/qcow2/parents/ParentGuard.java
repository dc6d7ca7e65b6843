package io.quoin.qcow2.parents;

import io.quoin.block.BlockException;
import io.quoin.qcow2.catalogue.ImageCatalogue;
import io.quoin.qcow2.parents.FileHolds.Use;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps files from being changed that others stand on. A change holds its file first and then looks
 * at the headers; the making of a child pins the parent before the child exists. So neither can
 * miss the other.
 *
 * <p>Threading: thread-safe.
 */
public final class ParentGuard {
    private static final Hold NOTHING = () -> {};

    private final FileHolds holds;
    private final @Nullable ParentIndex index;

    private ParentGuard(FileHolds holds, @Nullable ParentIndex index) {
        this.holds = holds;
        this.index = index;
    }

    /**
     * Of the files of a volume, all of which are seen.
     *
     * @param holds also the catalogue's
     */
    public static ParentGuard of(ImageCatalogue catalogue, FileHolds holds) {
        return new ParentGuard(holds, new ParentIndex(catalogue));
    }

    /** Keeps nothing: for files that may have children anywhere. */
    public static ParentGuard off() {
        return new ParentGuard(new FileHolds(), null);
    }

    /**
     * Holds a file to write it, on behalf of {@code owner}: itself, or the image whose data file it
     * is.
     *
     * @return fails with EROFS if others than the owner stand on it, EBUSY if it is held
     */
    public CompletionStage<Hold> toWrite(String file, String owner) {
        return holding(
                file,
                Use.WRITE,
                owner,
                owner,
                found -> {
                    List<String> readers = new ArrayList<>(found.graph().readersOf(file));
                    readers.remove(owner);
                    return readers.isEmpty() ? null : Refusals.stoodOn(file, Use.WRITE, readers);
                });
    }

    /**
     * Holds a file to take its name away.
     *
     * @return fails with EBUSY if others stand on it, or if that cannot be told
     */
    public CompletionStage<Hold> toUnname(String file) {
        return holding(
                file,
                Use.NAME,
                file,
                null,
                found -> {
                    List<String> users = found.graph().usersOf(file);
                    if (!users.isEmpty()) {
                        return Refusals.stoodOn(file, Use.NAME, users);
                    }
                    List<String> unreadable = new ArrayList<>(found.unreadable());
                    unreadable.remove(file);
                    return unreadable.isEmpty() ? null : Refusals.notKnown(file, unreadable);
                });
    }

    /**
     * Holds a name to give it to a file.
     *
     * @return fails with EBUSY if images stand on a file of that name, which they would find again
     *     with another content
     */
    public CompletionStage<Hold> toName(String file) {
        return holding(
                file,
                Use.NAME,
                file,
                file,
                found -> {
                    List<String> users = found.graph().usersOf(file);
                    return users.isEmpty() ? null : Refusals.stoodOn(file, Use.NAME, users);
                });
    }

    /**
     * Keeps a snapshot as it is while it is open by this name.
     *
     * @throws BlockException EBUSY if it is being deleted or renamed
     */
    public Hold openSnapshot(String name) {
        return holds.open(name);
    }

    /**
     * Holds a snapshot to delete it or to take its name away.
     *
     * @return fails with EBUSY if it is open by this name, or others stand on it
     */
    public CompletionStage<Hold> toChangeSnapshot(String name) {
        Hold open;
        try {
            open = holds.holdSnapshot(name);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        return toUnname(name)
                .<Hold>thenApply(
                        unnamed ->
                                () -> {
                                    unnamed.release();
                                    open.release();
                                })
                .whenComplete(
                        (hold, failure) -> {
                            if (failure != null) {
                                open.release();
                            }
                        });
    }

    /** The images that stand on {@code file}, the closest first. */
    public CompletionStage<List<String>> usersOf(String file) {
        return index == null
                ? CompletableFuture.completedFuture(List.of())
                : index.look(null).thenApply(found -> found.graph().usersOf(file));
    }

    private CompletionStage<Hold> holding(
            String file,
            Use use,
            String owner,
            @Nullable String unread,
            Function<ParentIndex.Found, @Nullable BlockException> refusal) {
        if (index == null) {
            return CompletableFuture.completedFuture(NOTHING);
        }
        Hold hold;
        try {
            hold = holds.hold(file, use, owner);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        return index.look(unread)
                .thenApply(
                        found -> {
                            BlockException refused = refusal.apply(found);
                            if (refused != null) {
                                throw refused;
                            }
                            return hold;
                        })
                .whenComplete(
                        (held, failure) -> {
                            if (failure != null) {
                                hold.release();
                            }
                        });
    }

    /**
     * Keeps the file as it is that {@code child} names as {@code parent}.
     *
     * @throws BlockException EBUSY if it is being changed
     */
    public Hold pin(String parent, String child) {
        return index == null ? NOTHING : holds.pin(parent, ImageName.of(child).file());
    }

    /**
     * The opened image, for as long as it is held by {@link #toWrite}. What the catalogue has read
     * of it before it was open, or before its size changed, does not count any more.
     */
    public CompletionStage<XlatorFile> whileHeld(
            String file, CompletionStage<XlatorFile> opening, Hold hold) {
        return HeldFile.of(
                opening.thenApply(
                        opened -> {
                            holds.headerChanged(file);
                            return new ResizedFile(opened, () -> holds.headerChanged(file));
                        }),
                hold);
    }

    /** Another header of a file that is held by {@link #toWrite} is in force from now on. */
    public void headerChanged(String file) {
        holds.headerChanged(file);
    }

    /** What {@code use} makes while the file is held; then it is let go. */
    public static <T> CompletionStage<T> thenRelease(
            CompletionStage<Hold> holding, java.util.function.Supplier<CompletionStage<T>> use) {
        return holding.thenCompose(
                hold -> {
                    CompletionStage<T> used;
                    try {
                        used = use.get();
                    } catch (BlockException e) {
                        used = CompletableFuture.failedFuture(e);
                    }
                    return used.whenComplete((result, failure) -> hold.release());
                });
    }
}
