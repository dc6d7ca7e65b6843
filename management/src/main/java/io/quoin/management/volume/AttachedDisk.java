package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ring.DiskRing;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One user's hold on an open disk. All users of a disk share its file, its ring and its loop; the
 * last one to let go closes it.
 *
 * <p>Threading: thread-safe; the file is confined to the loop.
 */
public final class AttachedDisk {
    private final OpenDisk disk;
    private final OpenDisks owner;
    private final String name;
    private final AtomicReference<@Nullable CompletableFuture<Void>> closed =
            new AtomicReference<>();

    AttachedDisk(String name, OpenDisk disk, OpenDisks owner) {
        this.name = name;
        this.disk = disk;
        this.owner = owner;
    }

    public String name() {
        return name;
    }

    public XlatorFile file() {
        return disk.file();
    }

    public DiskRing ring() {
        return disk.ring();
    }

    public Loop loop() {
        return disk.loop();
    }

    /** Why it cannot be written; null: it can. */
    @Nullable String whyReadOnly() {
        return disk.whyReadOnly();
    }

    /** Refuses what would change a disk that others stand on: EPERM, naming them. */
    void requireWritable() {
        String why = disk.whyReadOnly();
        if (why != null) {
            throw new BlockException(
                    BlockError.EPERM, "disk is read-only: name=" + name + ", reason=" + why);
        }
    }

    /**
     * Lets go, once however often it is called. Completes at once while others hold the disk, else
     * when it is flushed and closed.
     */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        if (!closed.compareAndSet(null, mine)) {
            CompletableFuture<Void> first = closed.get();
            return first == null ? mine : first;
        }
        owner.detach(name)
                .whenComplete(
                        (none, failure) -> {
                            if (failure == null) {
                                mine.complete(null);
                            } else {
                                mine.completeExceptionally(failure);
                            }
                        });
        return mine;
    }
}
