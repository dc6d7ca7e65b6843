package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Whether parts belong together, each where it is.
 *
 * <p>Threading: immutable.
 */
final class PartChecks {
    private PartChecks() {}

    /**
     * The header of part 0.
     *
     * @param starts the first bytes of the file on each child
     * @throws BlockException EIO that names the child whose file does not belong there
     */
    static PartHeader headerOf(String fileName, Children children, List<ByteBuffer> starts) {
        PartHeader first = null;
        for (int part = 0; part < starts.size(); part++) {
            PartHeader header;
            try {
                header = PartHeaderLayout.get(starts.get(part));
            } catch (BlockException e) {
                throw new BlockException(
                        BlockError.EIO,
                        children.name(part) + ": " + e.getMessage() + ": file=" + fileName,
                        e);
            }
            check(fileName, children, part, header);
            first = first == null ? header : first;
            if (!header.fileId().equals(first.fileId())
                    || header.blockBytes() != first.blockBytes()) {
                throw wrong(
                        fileName,
                        children.name(part),
                        "file " + first.fileId() + " in blocks of " + first.blockBytes(),
                        "file " + header.fileId() + " in blocks of " + header.blockBytes());
            }
        }
        if (first == null) {
            throw new AssertionError("striped file without parts");
        }
        return first;
    }

    /** Whether that header is of the part that belongs to the child of that number. */
    static boolean isInPlace(Children children, int part, PartHeader header) {
        return header.part() == part && header.count() == children.count();
    }

    /**
     * @throws BlockException EIO unless {@link #isInPlace}
     */
    static void check(String fileName, Children children, int part, PartHeader header) {
        if (!isInPlace(children, part, header)) {
            throw wrong(
                    fileName,
                    children.name(part),
                    "part " + part + " of " + children.count(),
                    "part " + header.part() + " of " + header.count());
        }
    }

    private static BlockException wrong(
            String fileName, String childName, String expected, String actual) {
        return new BlockException(
                BlockError.EIO,
                childName
                        + ": not the part that belongs here: file="
                        + fileName
                        + ", expected="
                        + expected
                        + ", actual="
                        + actual
                        + "; are the subvolumes in another order, or of another volume?");
    }

    /**
     * @throws BlockException ENOTSUP for a child whose units are too large for the header
     */
    static void checkUnits(String fileName, Children children, List<XlatorFile> parts) {
        for (int part = 0; part < parts.size(); part++) {
            int unitBytes = parts.get(part).geometry().blockSizeMin();
            if (unitBytes > PartHeaderLayout.UNIT_BYTES_MAX) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        children.name(part)
                                + ": files of such units cannot be striped: file="
                                + fileName
                                + ", expected="
                                + PartHeaderLayout.UNIT_BYTES_MAX
                                + " bytes or less, actual="
                                + unitBytes);
            }
        }
    }
}
