package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.HeaderArea;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Gives an image that nobody has open another backing file, in the header alone. One write of the
 * first sector makes the change, so that a crash leaves the old name or the new one:
 *
 * <pre>
 *  what lies behind the first sector, in a place of its own: flush;  the first sector: flush
 * </pre>
 *
 * <p>Threading: confined to its user.
 */
public final class BackingChange {
    private static final int SECTOR_BYTES = 512;

    private final CheckImage image;
    private final Qcow2Header wanted;
    private final HeaderArea before;
    private final HeaderArea after;

    private BackingChange(CheckImage image, Qcow2Header wanted) {
        this.image = image;
        this.wanted = wanted;
        int length = (int) Math.min(image.fileSizeBytes, image.clusterSize);
        ByteBuffer firstCluster = image.read(0, ByteBuffer.allocate(length), length);
        before = HeaderArea.onDisk(image.header, firstCluster, SECTOR_BYTES);
        after = before.successor(wanted);
    }

    /**
     * Prepares the change; nothing is written yet.
     *
     * @param name a plain file name; null: no backing file
     * @param format qcow2 or raw; null with no backing file
     * @throws BlockException EINVAL if the name does not fit into the header, or the image cannot
     *     have a backing file
     */
    public static BackingChange prepare(
            ImageFile file, @Nullable String name, @Nullable String format) {
        CheckImage image = CheckImage.open(file);
        Qcow2Header header = image.header;
        if (header.isCorrupt()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "qcow2 header: the image is marked corrupt: repair it first");
        }
        if (name != null && header.isRawExternalData()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "qcow2 header: backing file="
                            + name
                            + ", expected=none with a raw external data file");
        }
        HeaderBuilder changed = header.toBuilder().backingFile(name);
        if (name == null || format == null) {
            changed.withoutExtension(HeaderExtension.BACKING_FORMAT);
        } else {
            changed.extension(Qcow2Header.backingFormatExtension(format));
        }
        if (header.version() >= 3) {
            changed.features(
                    header.incompatibleFeatures(),
                    header.compatibleFeatures(),
                    header.autoclearFeatures() & Qcow2Header.AUTOCLEAR_KNOWN);
        }
        return new BackingChange(image, changed.build());
    }

    /** Makes the change, durably. */
    public void write() {
        ByteBuffer bytes = after.bytes();
        int tail = after.tailStart();
        if (!after.isSwitchOf(before)) {
            if (!after.isApartFrom(before)) {
                image.write(0, bytes.slice(0, bytes.limit()));
                image.flush();
                return;
            }
            image.write(tail, bytes.slice(tail, bytes.limit() - tail));
            image.flush();
        }
        image.write(0, bytes.slice(0, Math.min(SECTOR_BYTES, bytes.limit())));
        image.flush();
    }

    /** The header that the image has then. */
    public Qcow2Header header() {
        return wanted;
    }
}
