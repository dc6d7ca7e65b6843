package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.List;

/**
 * Why a file of the volume is not changed.
 *
 * <p>Threading: immutable.
 */
final class Refusals {
    private Refusals() {}

    /** EROFS to write it, else EBUSY. */
    static BlockException stoodOn(String file, FileHolds.Use use, List<String> dependents) {
        boolean write = use == FileHolds.Use.WRITE;
        return new BlockException(
                write ? BlockError.EROFS : BlockError.EBUSY,
                "others stand on the file"
                        + (write ? ", so that it is read-only: file=" : ": file=")
                        + file
                        + ", used by="
                        + ReferenceGraph.text(dependents)
                        + "; remove them or give them another backing file first");
    }

    /** EBUSY to remove or rename while images cannot be read that may stand on it. */
    static BlockException notKnown(String file, List<String> unreadable) {
        return new BlockException(
                BlockError.EBUSY,
                "others may stand on the file: file="
                        + file
                        + ", images that cannot be read="
                        + ReferenceGraph.text(unreadable)
                        + "; the log says why");
    }
}
