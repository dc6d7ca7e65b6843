package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L2Entry;
import java.nio.ByteBuffer;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongArrayList;
import org.agrona.collections.LongHashSet;
import org.jspecify.annotations.Nullable;

/**
 * Gives a copy of their own to references to clusters that are in use as something else, or more
 * often than a refcount can say. What a reader sees stays the same.
 *
 * <pre>
 *  copies behind the end of the file
 *  refcount table and blocks, which count the copies and all that was referenced before; flush
 *  header: the new refcount table; flush         from here on the copies are in use, at worst leaked
 *  words that refer to the clusters; flush       from here on the counts of what they referred to are too high
 * </pre>
 *
 * Of the references found, those nearest to the header go first: what is found behind them may be
 * another thing once they are right.
 *
 * <p>Threading: confined to the check.
 */
final class Relocations {
    /** Where the word is that refers to a cluster, the nearest to the header first. */
    enum Level {
        HEADER,
        /** Snapshot table or bitmap directory. */
        DIRECTORY,
        L1,
        /** L2 or bitmap table. */
        ENTRY
    }

    /** Of a reference that cannot be changed. */
    static final long FIXED = -1;

    /** Memory of a reference that is to be changed: itself, its copy, and the room to grow. */
    private static final int POINTER_BYTES = 256;

    private final ClosedImage image;

    /** Copies end there. */
    private final long endCluster;

    /** What is found beyond that waits for another look. */
    private final long pointersMax;

    /** Of each reference: word, host offset, length. */
    private final LongArrayList found = new LongArrayList();

    private final LongHashSet pointers = new LongHashSet();
    private Level level = Level.ENTRY;
    private @Nullable ByteBuffer snapshotTable;
    private boolean outOfRoom;

    /**
     * @param endCluster no copy of a cluster is made there or behind it
     * @param memoryBytesMax for what is found
     */
    Relocations(ClosedImage image, long endCluster, long memoryBytesMax) {
        this.image = image;
        this.endCluster = endCluster;
        this.pointersMax = Math.max(1, memoryBytesMax / POINTER_BYTES);
    }

    /** A reference at {@code pointerOffset} that has to go elsewhere. */
    void add(Level newLevel, long pointerOffset, long hostOffset, long lengthBytes) {
        if (pointerOffset == FIXED || newLevel.compareTo(level) > 0) {
            return;
        }
        if (newLevel != level) {
            found.clear();
            pointers.clear();
            level = newLevel;
        }
        if (pointers.size() < pointersMax && pointers.add(pointerOffset)) {
            found.addLong(pointerOffset);
            found.addLong(hostOffset);
            found.addLong(lengthBytes);
        }
    }

    /** The snapshot table is to be replaced by {@code table}. */
    void rewriteSnapshots(ByteBuffer table) {
        add(Level.HEADER, HeaderLayout.SNAPSHOTS_OFFSET_OFFSET, 0, 0);
        found.clear();
        snapshotTable = table;
    }

    boolean isEmpty() {
        return found.isEmpty() && snapshotTable == null;
    }

    /** Whether a reference stayed as it was because there was no room for its copy. */
    boolean isOutOfRoom() {
        return outOfRoom;
    }

    /**
     * Makes the copies and the switch, with new refcounts. What was read of the image is out of
     * date then.
     *
     * @param rebuild whether the refcounts have to be made anew even if no reference can be changed
     * @param counts all references; those of the copies are added
     * @param refcountClusters clusters of the old refcount structure
     * @param told hears of each reference
     * @return whether anything was written in the image
     */
    boolean carryOut(
            boolean rebuild,
            ReferenceCounts counts,
            LongArrayList refcountClusters,
            CheckReport told) {
        Copies copies = new Copies(counts);
        LongArrayList relinked = new LongArrayList();
        if (snapshotTable != null) {
            relinked.addLong(HeaderLayout.SNAPSHOTS_OFFSET_OFFSET);
            relinked.addLong(copies.placeSnapshots(snapshotTable));
            told.corruptionFixed("snapshot table: extra data of its entries");
        }
        for (int i = 0; i < found.size(); i += 3) {
            long pointerOffset = found.getLong(i);
            long word = relink(pointerOffset, found.getLong(i + 1), found.getLong(i + 2), copies);
            if (word != 0) {
                relinked.addLong(pointerOffset);
                relinked.addLong(word);
                told.corruptionFixed(
                        String.format(
                                "%s word at host offset %d: host cluster %d is in use otherwise, it"
                                        + " refers to a copy now",
                                level, pointerOffset, found.getLong(i + 1) >>> image.clusterBits));
            }
        }
        if (relinked.isEmpty() && !rebuild) {
            return false;
        }
        new RefcountRebuild(image, counts).rebuild(refcountClusters, copies.next);
        for (int i = 0; i < relinked.size(); i += 2) {
            image.writeEntry(relinked.getLong(i), relinked.getLong(i + 1));
        }
        image.flush();
        return true;
    }

    /** The word as it has to be; 0: it has to stay as it is. */
    private long relink(long pointerOffset, long hostOffset, long lengthBytes, Copies copies) {
        long word = image.read(pointerOffset, ByteBuffer.allocate(8), 8).getLong(0);
        boolean ofTable = level == Level.L1 || level == Level.ENTRY;
        boolean compressed = level == Level.ENTRY && L2Entry.isCompressed(word);
        long firstCluster = hostOffset >>> image.clusterBits;
        long clusters = ((hostOffset + lengthBytes - 1) >>> image.clusterBits) - firstCluster + 1;
        int times = ofTable ? copies.referencesTo(pointerOffset >>> image.clusterBits) : 1;
        long copy = copies.of(firstCluster, clusters, times);
        long moved = (copy - firstCluster) << image.clusterBits;
        long lastCopied = (copy + clusters - 1) << image.clusterBits;
        boolean isWithinReach =
                !compressed
                        || L2Entry.isCompressible(lastCopied, image.clusterSize, image.clusterBits);
        if (copy == 0 || !isWithinReach) {
            return 0;
        }
        // Every kind of word has the offset unshifted in it. COPIED comes back with the next look.
        return (ofTable ? word & ~L2Entry.COPIED : word) + moved;
    }

    /** Clusters behind the end of the file that get the content of others. */
    private final class Copies {
        private final ReferenceCounts counts;
        private final long countMax;
        private final Long2ObjectHashMap<Copy> byFirst = new Long2ObjectHashMap<>();
        private final ByteBuffer buffer = ByteBuffer.allocate(image.clusterSize);
        private long next;

        Copies(ReferenceCounts counts) {
            this.counts = counts;
            long max = image.header.refcounts().countMax();
            this.countMax = max < 0 ? Integer.MAX_VALUE : Math.min(max, Integer.MAX_VALUE);
            // The cluster behind the file's last one may be referenced where that is cut short.
            this.next = image.clusters() + 1;
        }

        /** At least how often the words of a cluster count: as often as it is referenced. */
        int referencesTo(long clusterIndex) {
            return Math.max(1, counts.get(clusterIndex));
        }

        /** The first cluster of a copy that takes some more references; 0: there is no room. */
        long of(long firstCluster, long clusters, int times) {
            Copy copy = byFirst.get(firstCluster);
            if (copy == null || copy.clusters != clusters || copy.references + times > countMax) {
                if (times > countMax) {
                    return 0;
                }
                if (next + clusters > endCluster) {
                    outOfRoom = true;
                    return 0;
                }
                copy = new Copy(next, clusters);
                byFirst.put(firstCluster, copy);
                for (long i = 0; i < clusters; i++) {
                    image.read((firstCluster + i) << image.clusterBits, buffer, image.clusterSize);
                    image.write((next + i) << image.clusterBits, buffer);
                }
                next += clusters;
            }
            copy.references += times;
            for (long i = 0; i < clusters; i++) {
                counts.addData(copy.first + i, times);
            }
            return copy.first;
        }

        /** The host offset of a new snapshot table. */
        long placeSnapshots(ByteBuffer table) {
            long hostOffset = next << image.clusterBits;
            long clusters = image.geometry.clustersFor(table.limit());
            for (long i = 0; i < clusters; i++) {
                counts.addData(next + i, 1);
            }
            image.write(hostOffset, table.duplicate());
            next += clusters;
            return hostOffset;
        }
    }

    private static final class Copy {
        private final long first;
        private final long clusters;
        private long references;

        Copy(long first, long clusters) {
            this.first = first;
            this.clusters = clusters;
        }
    }
}
