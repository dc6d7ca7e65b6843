package io.quoin.nbd.export;

import io.quoin.block.BlockError;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The exports by name. Names are keys of a table; nothing in them is ever taken for a path.
 *
 * <p>Threading: thread-safe; must not block, since it is called from event loops.
 */
public interface ExportCatalogue {
    /** What a client may see in a list. */
    List<ExportInfo> list();

    /**
     * Opens an export for one connection, which lets go of it by {@link Export#close}. The disk
     * itself is opened at the first call, never earlier. The stage may complete on any thread. It
     * fails with a {@link io.quoin.block.BlockException}: {@link BlockError#ENOENT} for an unknown
     * name, {@link BlockError#EPERM} or {@link BlockError#EBUSY} for one that may not be had,
     * {@link BlockError#ESHUTDOWN} while closing.
     */
    CompletionStage<Export> open(String name);

    /** What a client gets that gives no name; empty if it gets nothing. */
    Optional<String> defaultExport();

    /**
     * What the dirty bitmap is called that an export of this name has, if there is one; empty for
     * none. Opens nothing: it depends on the name alone.
     */
    default Optional<String> dirtyBitmap(String name) {
        return Optional.empty();
    }

    /** Whether {@link #open} would know the name. Opens nothing. */
    default boolean contains(String name) {
        return list().stream().anyMatch(export -> export.name().equals(name));
    }
}
