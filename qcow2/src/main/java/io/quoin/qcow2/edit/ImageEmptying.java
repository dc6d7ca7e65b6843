package io.quoin.qcow2.edit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;

/**
 * Takes everything out of an overlay that its backing file has as well, so that it reads the same
 * and takes no space. Internal snapshots and bitmaps stay.
 *
 * <pre>
 *  L1 table: zeros, flush     what it led to is leaked: a crash costs space and nothing else
 *  refcounts                  as by a repair of leaks
 *  refcount blocks            those that count nothing but themselves: their table entry, flush; then their own count
 *  end of the file            by the caller, with what {@link #empty} returns
 * </pre>
 *
 * <p>Threading: confined to its user.
 */
public final class ImageEmptying {
    private ImageEmptying() {}

    /**
     * Empties the image; the backing file must have been flushed.
     *
     * @return where the file may be cut off
     * @throws BlockException as {@link #requireEmptiable}, with nothing changed; EIO if its space
     *     could not be given back
     */
    public static long empty(ImageFile file, CheckListener listener) {
        ClosedImage image = emptiable(file);
        clearL1(image);
        requireClean(image, Qcow2Check.check(file, RepairMode.LEAKS, listener));
        dropBlocks(image);
        CheckResult result = Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT);
        requireClean(image, result);
        return result.imageEndOffset();
    }

    /**
     * Refuses what {@link #empty} would refuse.
     *
     * @throws BlockException EINVAL for an image whose refcounts are not to be trusted
     */
    public static void requireEmptiable(ImageFile file) {
        emptiable(file);
    }

    private static ClosedImage emptiable(ImageFile file) {
        ClosedImage image = ClosedImage.open(file);
        if (image.header.isDirty() || image.header.isCorrupt()) {
            throw image.refusal(
                    BlockError.EINVAL,
                    "image cannot be emptied: it was not closed or is corrupt; run quoin image"
                            + " check --repair all");
        }
        return image;
    }

    private static void requireClean(ClosedImage image, CheckResult result) {
        if (!result.isClean()) {
            throw image.refusal(
                    BlockError.EIO,
                    "image is empty, but its space was not given back: corruptions="
                            + result.corruptions()
                            + ", leaks="
                            + result.leaks()
                            + ", not checked="
                            + result.checkErrors());
        }
    }

    /** From the last on, since a block may be counted by one before it. */
    private static void dropBlocks(ClosedImage image) {
        RefcountLayout layout = image.header.refcounts();
        int tableBytes = (int) image.header.refcountTableBytes();
        ByteBuffer table =
                image.read(
                        image.header.refcountTableOffset(),
                        ByteBuffer.allocate(tableBytes),
                        tableBytes);
        ByteBuffer block = ByteBuffer.allocate(image.clusterSize);
        for (int i = tableBytes / RefcountLayout.TABLE_ENTRY_BYTES - 1; i >= 0; i--) {
            long entry = table.getLong(i * RefcountLayout.TABLE_ENTRY_BYTES);
            if (entry == 0) {
                continue;
            }
            long cluster = RefcountLayout.blockHostOffset(entry) >>> image.clusterBits;
            boolean countsItself = layout.blockIndex(cluster) == i;
            image.read(RefcountLayout.blockHostOffset(entry), block, image.clusterSize);
            if (countsMore(layout, block, countsItself ? layout.indexInBlock(cluster) : -1)) {
                continue;
            }
            long entryOffset =
                    image.header.refcountTableOffset()
                            + (long) i * RefcountLayout.TABLE_ENTRY_BYTES;
            image.writeEntry(entryOffset, 0);
            if (!countsItself) {
                image.flush();
                uncount(image, layout, table, cluster, block);
            }
        }
        image.flush();
    }

    private static boolean countsMore(RefcountLayout layout, ByteBuffer block, int except) {
        for (int i = 0; i < layout.blockEntries(); i++) {
            if (i != except && layout.get(block, i) != 0) {
                return true;
            }
        }
        return false;
    }

    private static void uncount(
            ClosedImage image,
            RefcountLayout layout,
            ByteBuffer table,
            long cluster,
            ByteBuffer block) {
        int index = Math.toIntExact(layout.blockIndex(cluster));
        long hostOffset =
                RefcountLayout.blockHostOffset(
                        table.getLong(index * RefcountLayout.TABLE_ENTRY_BYTES));
        image.read(hostOffset, block, image.clusterSize);
        layout.set(block, layout.indexInBlock(cluster), 0);
        image.write(hostOffset, block);
    }

    private static void clearL1(ClosedImage image) {
        ByteBuffer piece = image.tableBuffer();
        long start = image.header.l1TableOffset();
        long end = start + (long) image.header.l1Size() * L1Entry.SIZE_BYTES;
        ByteBuffer zeros = ByteBuffer.allocate(piece.capacity());
        for (long at = start; at < end; at += piece.capacity()) {
            int length = (int) Math.min(piece.capacity(), end - at);
            image.read(at, piece, length);
            if (!piece.equals(zeros.clear().limit(length))) {
                image.write(at, zeros);
            }
        }
        image.flush();
    }
}
