package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.xlator.XlatorFile;
import java.util.Collections;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The names of a volume, in one file of two slots that are written in turn: a change is one durable
 * write, and who reads the file after a crash in its middle finds the names before or after it.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class Catalogue {
    private final XlatorFile file;
    private @Nullable CatalogueSlot current;

    private Catalogue(XlatorFile file, @Nullable CatalogueSlot current) {
        this.file = file;
        this.current = current;
    }

    /** Reads the names from their file. */
    static CompletionStage<Catalogue> read(XlatorFile file) {
        return readSlot(file, 0)
                .thenCombine(readSlot(file, 1), Catalogue::newer)
                .thenApply(newest -> new Catalogue(file, newest));
    }

    static @Nullable CatalogueSlot newer(
            @Nullable CatalogueSlot first, @Nullable CatalogueSlot second) {
        if (first == null || second == null) {
            return first == null ? second : first;
        }
        return first.generation() > second.generation() ? first : second;
    }

    private static CompletionStage<@Nullable CatalogueSlot> readSlot(
            XlatorFile file, long generation) {
        long offset = CatalogueSlot.offsetBytes(generation);
        long sizeBytes = file.geometry().sizeBytes();
        if (offset + CatalogueSlot.HEADER_BYTES > sizeBytes) {
            return CompletableFuture.completedFuture(null);
        }
        return WholeRequests.read(file, offset, CatalogueSlot.HEADER_BYTES)
                .thenCompose(
                        header -> {
                            int length = CatalogueSlot.lengthBytes(header);
                            return length == 0 || offset + length > sizeBytes
                                    ? CompletableFuture.completedFuture(null)
                                    : WholeRequests.read(file, offset, length)
                                            .thenApply(CatalogueSlot::decode);
                        });
    }

    /** Whether no names were ever written, or none of them can be read. */
    boolean isEmpty() {
        return current == null;
    }

    /** The names and the files that they lead to. */
    SortedMap<String, UUID> names() {
        CatalogueSlot slot = current;
        return slot == null ? Collections.emptySortedMap() : slot.names();
    }

    /**
     * Has other names from now on, durable when the stage completes. One change at a time. If it
     * fails it is not known which names the file has: it is to be read anew.
     */
    CompletionStage<Void> change(SortedMap<String, UUID> names) {
        CatalogueSlot before = current;
        CatalogueSlot next = new CatalogueSlot(before == null ? 1 : before.generation() + 1, names);
        return WholeRequests.write(file, next.offsetBytes(), next.encode())
                .thenRun(() -> current = next);
    }

    /** Whether the names are in that file. */
    boolean isIn(XlatorFile other) {
        return file == other;
    }

    /** Gives the file up: {@link #close} does not wait for storage that does not answer. */
    void abort(BlockError error) {
        file.abort(error);
    }

    /** Closes the file. */
    CompletionStage<Void> close() {
        return file.close();
    }
}
