package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.HeaderExtension.HEADER_BYTES;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How header, extensions and backing file name lie in cluster 0, so that the whole of it can be
 * replaced by one write of the first sector.
 *
 * <pre>
 *  sector 0   header, the extensions that fit (pointers that have to be switched first)
 *  tail       the extensions that do not, and the backing file name
 * </pre>
 *
 * A new tail is put where the old one is not: an extension of type {@link HeaderExtension#JUMP},
 * whose data reach over what is left out, leads to it. So the tail can be written and made durable
 * while the old sector 0 still leads to the old tail. Where cluster 0 has no room for both, or
 * sector 0 none for the jump, tail and sector 0 are one write.
 *
 * <p>Threading: immutable.
 */
public final class HeaderArea {
    private final ByteBuffer bytes;
    private final int sectorBytes;
    private final int tailStart;

    /** {@code bytes} go from 0 to their limit, to the end of the last sector in use. */
    private HeaderArea(ByteBuffer bytes, int sectorBytes, int tailStart) {
        this.bytes = bytes;
        this.sectorBytes = sectorBytes;
        this.tailStart = tailStart;
    }

    /**
     * The area as it is on disk.
     *
     * @param firstCluster the bytes that {@code header} was parsed from
     * @param sectorBytes what is written at once or not at all
     */
    public static HeaderArea onDisk(Qcow2Header header, ByteBuffer firstCluster, int sectorBytes) {
        ByteBuffer in = firstCluster.slice().order(ByteOrder.BIG_ENDIAN);
        int at = header.headerLengthBytes();
        int tailStart = sectorBytes;
        for (HeaderExtension extension : header.extensions()) {
            // Where others wrote the header anew, the jump may have moved out of the first sector:
            // then extensions that are in force lie between that and where it leads to.
            boolean leads =
                    extension.type() == HeaderExtension.JUMP && at + HEADER_BYTES <= sectorBytes;
            at = Math.addExact(at, extension.sizeOnDiskBytes());
            if (leads) {
                tailStart = Math.max(tailStart, at & -sectorBytes);
            }
        }
        int end = Math.min(at + HEADER_BYTES, header.clusterSizeBytes());
        if (header.backingFile() != null) {
            long nameEnd =
                    in.getLong(HeaderLayout.BACKING_OFFSET_OFFSET)
                            + in.getInt(HeaderLayout.BACKING_SIZE_OFFSET);
            end = (int) Math.max(end, nameEnd);
        }
        ByteBuffer bytes = ByteBuffer.allocate(roundedUp(end, sectorBytes));
        int present = Math.min(bytes.limit(), in.limit());
        bytes.put(0, in, 0, present);
        return new HeaderArea(bytes, sectorBytes, Math.min(tailStart, bytes.limit()));
    }

    /**
     * The area for {@code header}, to be put in the place of this one.
     *
     * @throws io.quoin.block.BlockException EINVAL if it does not fit into the first cluster
     */
    public HeaderArea successor(Qcow2Header header) {
        Qcow2Header sorted = sorted(header);
        HeaderArea compact = compact(sorted);
        if (compact.tailLengthBytes() == 0 || compact.hasTailOf(this)) {
            return compact;
        }
        int tailMost = compact.tailLengthBytes() + sectorBytes;
        int from =
                tailMost <= tailStart - sectorBytes
                        ? sectorBytes
                        : Math.max(sectorBytes, bytes.limit());
        // With no room for a jump in the first sector, that sector cannot be what switches.
        boolean canJump = header.headerLengthBytes() + HEADER_BYTES <= sectorBytes;
        HeaderArea split = from == sectorBytes || !canJump ? compact : split(sorted, from);
        return split.bytes.limit() <= header.clusterSizeBytes() ? split : compact;
    }

    /** Pointers first, names of features, which are long and of no consequence, last. */
    private static Qcow2Header sorted(Qcow2Header header) {
        List<HeaderExtension> extensions = new ArrayList<>(header.extensions());
        extensions.removeIf(extension -> extension.type() == HeaderExtension.JUMP);
        extensions.sort(Comparator.comparingInt(HeaderArea::rank));
        return header.toBuilder().extensions(extensions).build();
    }

    private static int rank(HeaderExtension extension) {
        return switch (extension.type()) {
            case HeaderExtension.BITMAPS, HeaderExtension.LEAKS -> 0;
            case HeaderExtension.FEATURE_NAMES -> 2;
            default -> 1;
        };
    }

    private HeaderArea compact(Qcow2Header header) {
        ByteBuffer encoded = header.encode();
        int end = HeaderLayout.lengthBytes(header);
        ByteBuffer used = ByteBuffer.allocate(roundedUp(end, sectorBytes));
        used.put(0, encoded, 0, Math.min(used.limit(), encoded.limit()));
        return new HeaderArea(used, sectorBytes, Math.min(sectorBytes, used.limit()));
    }

    /** With everything that does not fit into the first sector from {@code from} on. */
    private HeaderArea split(Qcow2Header header, int from) {
        ByteBuffer out = ByteBuffer.allocate(from + header.clusterSizeBytes());
        out.put(0, header.encode(), 0, header.headerLengthBytes());
        out.position(header.headerLengthBytes());
        boolean jumped = false;
        for (HeaderExtension extension : header.extensions()) {
            int room = sectorBytes - out.position() - HEADER_BYTES;
            if (!jumped && extension.sizeOnDiskBytes() > room) {
                jump(out, from);
                jumped = true;
            }
            extension.encode(out);
        }
        out.putLong(0);
        byte[] name = HeaderLayout.backingName(header);
        if (name.length > 0) {
            if (!jumped) {
                out.position(from);
            }
            out.putLong(HeaderLayout.BACKING_OFFSET_OFFSET, out.position());
            out.put(name);
        }
        int end = roundedUp(out.position(), sectorBytes);
        return new HeaderArea(out.limit(end).slice(0, end), sectorBytes, Math.min(from, end));
    }

    private static void jump(ByteBuffer out, int to) {
        int length = to - out.position() - HEADER_BYTES;
        out.putInt(HeaderExtension.JUMP).putInt(length).position(to);
    }

    private boolean hasTailOf(HeaderArea other) {
        int length = tailLengthBytes();
        return tailStart == other.tailStart
                && length <= other.tailLengthBytes()
                && bytes.slice(tailStart, length).equals(other.bytes.slice(tailStart, length));
    }

    /** Whether the first sector alone turns {@code before} into this. */
    public boolean isSwitchOf(HeaderArea before) {
        return tailLengthBytes() == 0 || hasTailOf(before);
    }

    /** Whether this one's tail can be written while {@code before} is in force. */
    public boolean isApartFrom(HeaderArea before) {
        return tailStart >= before.bytes.limit() || bytes.limit() <= before.tailStart;
    }

    /** Whether a crash on the way from {@code before} leaves the one or the other. */
    public boolean isSafeAfter(HeaderArea before) {
        return isSwitchOf(before) || isApartFrom(before);
    }

    /** From 0 to the end of the last sector in use. */
    public ByteBuffer bytes() {
        return bytes.asReadOnlyBuffer();
    }

    /** Where what does not fit into the first sector begins. */
    public int tailStart() {
        return tailStart;
    }

    public int tailLengthBytes() {
        return bytes.limit() - tailStart;
    }

    private static int roundedUp(int length, int unit) {
        return Math.max(unit, length + unit - 1 & -unit);
    }
}
