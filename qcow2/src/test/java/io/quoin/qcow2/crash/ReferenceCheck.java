package io.quoin.qcow2.crash;

import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.crash.FlatBytes;
import java.nio.ByteBuffer;

/**
 * A second opinion on an image, independent of the product's check: counts the references of
 * header, refcount structure, active L1 and L2, and snapshots, compares them with the refcounts,
 * and finds COPIED on anything that is shared. It knows nothing of bitmaps, which refer to clusters
 * of their own only.
 *
 * <p>Threading: confined to the test.
 */
final class ReferenceCheck {
    private static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
    private static final long COPIED = 1L << 63;
    private static final long COMPRESSED = 1L << 62;

    private final ByteBuffer file;
    private final Qcow2Header header;
    private final int bits;
    private final int[] references;
    private final StringBuilder wrong = new StringBuilder();

    private ReferenceCheck(byte[] bytes) {
        file = ByteBuffer.wrap(bytes);
        header = Qcow2Header.parse(file.duplicate(), bytes.length);
        bits = header.clusterBits();
        references = new int[(bytes.length >>> bits) + 2];
    }

    /** Says what is wrong, nothing if nothing is; refcounts only if they are to be trusted. */
    static String check(FlatBytes image, boolean counted) {
        ReferenceCheck check = new ReferenceCheck(image.content());
        check.countAll();
        if (counted) {
            check.compareCounts();
        }
        check.compareCopied();
        return check.wrong.toString();
    }

    private void countAll() {
        add(0, 1);
        add(header.refcountTableOffset(), header.refcountTableBytes());
        for (int i = 0; i < header.refcountTableBytes() / 8; i++) {
            long block = at(header.refcountTableOffset() + 8L * i) & OFFSET;
            if (block != 0) {
                add(block, 1L << bits);
            }
        }
        countTree(header.l1TableOffset(), header.l1Size());
        long entry = header.snapshotsOffset();
        for (int i = 0; i < header.snapshotCount(); i++) {
            countTree(at(entry), file.getInt((int) entry + 8));
            int idBytes = file.getShort((int) entry + 12) & 0xffff;
            int nameBytes = file.getShort((int) entry + 14) & 0xffff;
            int extraBytes = file.getInt((int) entry + 36);
            entry += (40 + extraBytes + idBytes + nameBytes + 7) / 8 * 8L;
        }
        if (header.snapshotCount() > 0) {
            add(header.snapshotsOffset(), entry - header.snapshotsOffset());
        }
    }

    private void countTree(long l1, int entries) {
        add(l1, 8L * entries);
        for (int i = 0; i < entries; i++) {
            long l2 = at(l1 + 8L * i) & OFFSET;
            if (l2 != 0 && add(l2, 1L << bits)) {
                for (int at = 0; at < 1 << bits; at += entryBytes()) {
                    countEntry(at(l2 + at));
                }
            }
        }
    }

    private int entryBytes() {
        return header.hasExtendedL2() ? 16 : 8;
    }

    private void countEntry(long entry) {
        if ((entry & COMPRESSED) != 0) {
            int x = 62 - (bits - 8);
            long offset = entry & ((1L << x) - 1);
            long sectors = (entry & ~(3L << 62)) >>> x;
            long end = (offset & -512L) + (sectors + 1) * 512;
            add(offset, Math.min(end, file.capacity()) - offset);
        } else if (!header.hasExternalDataFile() && (entry & OFFSET) != 0) {
            add(entry & OFFSET, 1L << bits);
        }
    }

    /** Counts a reference to each cluster of the range. */
    private boolean add(long offset, long length) {
        if (length <= 0) {
            return true;
        }
        long last = (offset + length - 1) >>> bits;
        if (offset < 0 || last >= references.length || last << bits >= file.capacity()) {
            say("reference beyond the end: " + offset + "+" + length);
            return false;
        }
        for (long i = offset >>> bits; i <= last; i++) {
            references[(int) i]++;
        }
        return true;
    }

    private void compareCounts() {
        for (int i = 0; i < references.length; i++) {
            long count = references[i] == 0 ? 0 : refcount(i);
            if (Long.compareUnsigned(count, references[i]) < 0) {
                say("cluster " + i + ": refcount " + count + " below references " + references[i]);
            }
        }
    }

    private long refcount(int cluster) {
        int width = header.refcountBits();
        int perBlock = (8 << bits) / width;
        long block = at(header.refcountTableOffset() + 8L * (cluster / perBlock)) & OFFSET;
        if (block == 0 || block >= file.capacity()) {
            return 0;
        }
        int index = cluster % perBlock;
        int at = (int) (block + (long) index * width / 8);
        return switch (width) {
            case 64 -> file.getLong(at);
            case 32 -> file.getInt(at) & 0xffff_ffffL;
            case 16 -> file.getShort(at) & 0xffff;
            default -> (file.get(at) & 0xff) >>> (index * width % 8) & ((1 << width) - 1);
        };
    }

    private void compareCopied() {
        for (int i = 0; i < header.l1Size(); i++) {
            long l1Entry = at(header.l1TableOffset() + 8L * i);
            long l2 = l1Entry & OFFSET;
            copied(l1Entry, "L1 entry " + i);
            for (int at = 0; l2 != 0 && at < 1 << bits; at += entryBytes()) {
                copied(at(l2 + at), "L2 entry at " + (l2 + at));
            }
        }
    }

    private void copied(long entry, String what) {
        boolean data = !what.startsWith("L1");
        if ((entry & COPIED) == 0 || (data && header.hasExternalDataFile())) {
            return;
        }
        long cluster = (entry & OFFSET) >>> bits;
        if ((entry & COMPRESSED) != 0 || cluster == 0) {
            say(what + ": COPIED on what is no cluster of its own");
        } else if (cluster < references.length && references[(int) cluster] > 1) {
            say(what + ": COPIED on cluster " + cluster + ", which is shared");
        }
    }

    private long at(long offset) {
        return offset >= 0 && offset + 8 <= file.capacity() ? file.getLong((int) offset) : 0;
    }

    private void say(String text) {
        if (wrong.length() < 1000) {
            wrong.append(text).append("; ");
        }
    }
}
