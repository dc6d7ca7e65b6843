package io.quoin.qcow2.parents;

import io.quoin.qcow2.catalogue.ImageCatalogue;
import io.quoin.qcow2.catalogue.References;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What the images of the subvolume stand on, by the catalogue of their headers. The graph is made
 * anew only when some header names other files than before.
 *
 * <p>Threading: thread-safe.
 */
final class ParentIndex {
    private final ImageCatalogue catalogue;
    private volatile @Nullable Found last;

    /** What a look found: what stands on what, and the images that could not be read. */
    record Found(References references, ReferenceGraph graph) {
        List<String> unreadable() {
            return references.unreadable();
        }
    }

    ParentIndex(ImageCatalogue catalogue) {
        this.catalogue = catalogue;
    }

    /**
     * As it is at some moment after the call.
     *
     * @param unread an image whose own references do not matter; or null
     */
    CompletionStage<Found> look(@Nullable String unread) {
        return catalogue.references(unread).thenApply(this::found);
    }

    private Found found(References references) {
        Found known = last;
        if (known == null || known.references().version() != references.version()) {
            known = new Found(references, new ReferenceGraph(references.byImage()));
            last = known;
        }
        return known;
    }
}
