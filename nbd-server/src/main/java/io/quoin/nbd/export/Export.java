package io.quoin.nbd.export;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open export as one connection holds it. All connections of a disk share one ring and one loop,
 * which is what makes a flush on one of them cover the writes of all.
 *
 * <p>Threading: thread-safe, except that {@link #ring} is drained on {@link #loop} only.
 */
public interface Export {
    /** The canonical name, which may differ from the one it was opened by. */
    String name();

    /** A line for a person; may be empty. */
    String description();

    /** Whether this connection may not write, whatever the disk can do. */
    boolean readOnly();

    /** The sizes at this moment; a connection keeps those that it was told. */
    Geometry geometry();

    Capabilities capabilities();

    /**
     * Its dirty bitmap, if {@link ExportCatalogue#dirtyBitmap} said that it has one. Then its zeros
     * are never told as holes: what copies the dirty ranges would take a hole for nothing to copy.
     */
    default @Nullable DirtyBitmap dirtyBitmap() {
        return null;
    }

    /** Where requests go. */
    DiskRing ring();

    /** The disk's loop, a {@code NettyLoop}: the connection moves there. */
    Loop loop();

    /**
     * This connection lets go of the export; called once, with no request in flight. The catalogue
     * counts users and closes the disk when it likes.
     */
    CompletionStage<Void> close();
}
