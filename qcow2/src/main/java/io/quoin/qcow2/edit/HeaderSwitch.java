package io.quoin.qcow2.edit;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.HeaderArea;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;

/**
 * Gives an image that is not open another header. One write of the first sector makes the change,
 * so that a crash leaves the old one or the new one:
 *
 * <pre>
 *  what lies behind the first sector, in a place of its own: flush;  the first sector: flush
 * </pre>
 *
 * <p>Threading: confined to its user.
 */
final class HeaderSwitch {
    private static final int SECTOR_BYTES = 512;

    private final ClosedImage image;
    private final Qcow2Header wanted;
    private final HeaderArea before;
    private final HeaderArea after;

    /** Nothing is written yet; EINVAL if it does not fit into the first cluster. */
    HeaderSwitch(ClosedImage image, Qcow2Header wanted) {
        this.image = image;
        this.wanted = wanted;
        int length = (int) Math.min(image.fileSizeBytes, image.clusterSize);
        ByteBuffer firstCluster = image.read(0, ByteBuffer.allocate(length), length);
        before = HeaderArea.onDisk(image.header, firstCluster, SECTOR_BYTES);
        after = before.successor(wanted);
    }

    /** Makes the change, durably. */
    void write() {
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
    Qcow2Header header() {
        return wanted;
    }
}
