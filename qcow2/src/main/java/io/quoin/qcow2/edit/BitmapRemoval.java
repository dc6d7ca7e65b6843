package io.quoin.qcow2.edit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Removes a bitmap of an image that is not open, without loading any: also one that is too large to
 * be loaded, which keeps the image from being opened for writing.
 *
 * <pre>
 *  autoclear bit 0 off: flush;  the directory without it, in its place: flush;  size, count and the bit in the header: flush
 *  refcounts   as by a repair of leaks
 * </pre>
 *
 * A crash on the way leaves the others stale, or clusters leaked. The last bitmap goes by one write
 * of the header.
 *
 * <p>Threading: confined to its user.
 */
public final class BitmapRemoval {
    private BitmapRemoval() {}

    /**
     * Removes bitmap {@code name}.
     *
     * @return those that are left; nothing is known of their marks
     * @throws BlockException ENOENT if there is no such bitmap, EINVAL for an image whose refcounts
     *     or bitmaps are not to be trusted; nothing has changed then
     */
    public static List<BitmapInfo> remove(ImageFile file, String name) {
        try {
            ClosedImage image = ClosedImage.open(file);
            Qcow2Header header = image.header;
            if (header.isDirty() || header.isCorrupt() || !header.bitmapsConsistent()) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "bitmap cannot be removed: bitmap="
                                + name
                                + ", expected=an image that was closed, with bitmaps that are not"
                                + " stale; run quoin image check --repair all");
            }
            List<BitmapEntry> left = new ArrayList<>(image.bitmaps());
            if (!left.removeIf(entry -> entry.name().equals(name))) {
                throw new BlockException(BlockError.ENOENT, "no such bitmap: bitmap=" + name);
            }
            write(image, left);
            Qcow2Check.check(file, RepairMode.LEAKS, CheckListener.SILENT);
            return left.stream().map(BitmapRemoval::info).toList();
        } catch (BlockException e) {
            throw e.about(file.name());
        }
    }

    private static void write(ClosedImage image, List<BitmapEntry> left) {
        Qcow2Header header = image.header;
        HeaderBuilder changed = header.toBuilder();
        long autoclear = header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_KNOWN;
        long cleared = autoclear & ~Qcow2Header.BITMAPS_CONSISTENT;
        if (left.isEmpty()) {
            changed.withoutExtension(HeaderExtension.BITMAPS);
            autoclear = cleared;
        } else {
            BitmapsExtension now = Objects.requireNonNull(header.bitmaps());
            changed.extension(
                    new BitmapsExtension(
                                    left.size(),
                                    BitmapDirectoryLayout.sizeBytes(left),
                                    now.directoryOffset())
                            .toExtension());
            image.writeFeatures(header.incompatibleFeatures(), cleared);
            image.write(now.directoryOffset(), BitmapDirectoryLayout.encode(left));
            image.flush();
        }
        changed.features(header.incompatibleFeatures(), header.compatibleFeatures(), autoclear);
        new HeaderSwitch(image, changed.build()).write();
    }

    private static BitmapInfo info(BitmapEntry entry) {
        return new BitmapInfo(
                entry.name(), 1L << entry.granularityBits(), entry.isAuto(), entry.isInUse(), -1);
    }
}
