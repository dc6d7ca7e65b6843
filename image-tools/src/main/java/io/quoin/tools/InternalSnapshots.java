package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * The internal snapshots of an image read its backing file where they have nothing themselves, so
 * what keeps the content of the image alone would change theirs.
 *
 * <p>Threading: immutable.
 */
final class InternalSnapshots {
    private static final String COUNT = "internal-snapshots";

    private InternalSnapshots() {}

    /**
     * Refuses an image that has some.
     *
     * @param action that is refused, as in "be rebased"
     * @throws BlockException ENOTSUP
     */
    static void requireNone(OpenedImage image, String action) {
        Object count = image.details().get(COUNT);
        if (count instanceof Number number && number.longValue() > 0) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "image with snapshots cannot "
                            + action
                            + ", since they read its backing file too: path="
                            + image.location().text()
                            + ", snapshots="
                            + count
                            + "; remove them first, or convert the image");
        }
    }
}
