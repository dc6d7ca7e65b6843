package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One thing that can be wrong with an image, made in a sound one. */
enum Damage {
    ENTRY_TO_HEADER(t -> t.compressedTo(0)),
    ENTRY_TO_ACTIVE_L1(t -> t.dataTo(t.header.l1TableOffset())),
    ENTRY_TO_OWN_L2(t -> t.dataTo(t.l2Table())),
    ENTRY_TO_REFCOUNT_TABLE(t -> t.dataTo(t.header.refcountTableOffset())),
    ENTRY_TO_REFCOUNT_BLOCK(t -> t.dataTo(t.refcountBlock())),
    ENTRY_TO_SNAPSHOT_TABLE(t -> t.hasSnapshots() && t.dataTo(t.header.snapshotsOffset())),
    ENTRY_TO_SNAPSHOT_L1(t -> t.hasSnapshots() && t.dataTo(t.word(t.header.snapshotsOffset()))),
    ENTRY_TO_BITMAP_DIRECTORY(t -> t.hasBitmaps() && t.dataTo(t.bitmapDirectory())),
    ENTRY_TO_BITMAP_TABLE(t -> t.hasBitmaps() && t.dataTo(t.word(t.bitmapDirectory()))),
    STREAM_TO_ACTIVE_L1(t -> t.compressedTo(t.header.l1TableOffset() + 13)),
    STREAM_TO_REFCOUNT_BLOCK(t -> t.compressedTo(t.refcountBlock() + 700)),
    TWO_ENTRIES_ONE_CLUSTER(t -> t.dataTo(t.otherData())),
    TWO_L1_ENTRIES_ONE_TABLE(t -> t.l1To(t.otherL2())),
    L1_ENTRY_TO_ACTIVE_L1(t -> t.l1To(t.header.l1TableOffset())),
    L1_ENTRY_TO_REFCOUNT_TABLE(t -> t.l1To(t.header.refcountTableOffset())),
    L1_ENTRY_TO_REFCOUNT_BLOCK(t -> t.l1To(t.refcountBlock())),
    L1_ENTRY_TO_DATA(t -> t.l1To(t.otherData())),
    L1_ENTRY_UNALIGNED(t -> t.image.clusterBits > 9 && t.changeL1(w -> w + 512)),
    L1_ENTRY_BEYOND_END(t -> t.changeL1(w -> w + (1L << 40))),
    L1_ENTRY_RESERVED(t -> t.changeL1(w -> w | 1L << 57 | 4)),
    L1_ENTRY_COPIED_WRONG(t -> t.changeL1(w -> w ^ L1Entry.COPIED)),
    L2_ENTRY_UNALIGNED(t -> t.image.clusterBits > 9 && t.changeData(w -> w + 512)),
    L2_ENTRY_BEYOND_END(t -> t.changeData(w -> w + (1L << 40))),
    L2_ENTRY_RESERVED(t -> t.changeData(w -> w | 1L << 59 | 8)),
    L2_ENTRY_COPIED_WRONG(t -> t.changeData(w -> w ^ L2Entry.COPIED)),
    ZERO_ENTRY_UNALIGNED(
            t -> t.isStandard3() && t.image.clusterBits > 9 && t.changeData(w -> (w | 1) + 512)),
    ZERO_ENTRY_COPIED(
            t ->
                    t.isStandard3()
                            && !t.header.hasExternalDataFile()
                            && t.changeFree(w -> L2Entry.ZERO | L2Entry.COPIED)),
    ZERO_ENTRY_COPIED_WRONG(t -> t.isStandard3() && t.changeData(w -> (w | 1) ^ L2Entry.COPIED)),
    STREAM_COPIED(t -> t.changeStream(w -> w | L2Entry.COPIED)),
    STREAM_BEYOND_END(t -> t.changeStream(w -> w + (1L << 40))),
    STREAM_WITH_SUBCLUSTERS(t -> t.extended() && t.changeStreamBitmap()),
    SUBCLUSTERS_BOTH(t -> t.extended() && t.changeBitmap(w -> w | (w & 0xffff_ffffL) << 32)),
    SUBCLUSTERS_WITHOUT_PLACE(t -> t.extended() && t.freeBitmap(5)),
    SUBCLUSTER_PLACE_UNALIGNED(t -> t.extended() && t.unalignedZeroCluster()),
    SUBCLUSTER_ZERO_FLAG(t -> t.extended() && t.changeData(w -> w | 1)),
    SNAPSHOT_ENTRY_COPIED(t -> t.changeSnapshotData(w -> w ^ L2Entry.COPIED)),
    SNAPSHOT_ENTRY_RESERVED(t -> t.changeSnapshotData(w -> w | 1L << 58)),
    SNAPSHOT_ENTRY_BEYOND_END(t -> t.changeSnapshotData(w -> w + (1L << 41))),
    SNAPSHOT_ENTRY_TO_L1(t -> t.snapshotDataTo(t.header.l1TableOffset())),
    SNAPSHOT_L1_UNALIGNED(t -> t.hasSnapshots() && t.changeSnapshot(0, 8)),
    SNAPSHOT_L1_BEYOND_END(t -> t.hasSnapshots() && t.changeSnapshot(0, 1L << 40)),
    SNAPSHOT_L1_TOO_LARGE(t -> t.hasSnapshots() && t.changeSnapshot(8, 1L << 60)),
    SNAPSHOT_L1_IS_ACTIVE_L1(t -> t.hasSnapshots() && t.snapshotL1To(t.header.l1TableOffset())),
    SNAPSHOT_EXTRA_NONE(t -> t.snapshotExtra(0)),
    SNAPSHOT_EXTRA_SHORT(t -> t.snapshotExtra(8)),
    SNAPSHOT_EXTRA_LONG(t -> t.snapshotExtra(1500)),
    REFCOUNT_TABLE_UNALIGNED(t -> t.image.clusterBits > 9 && t.changeRefcountTable(w -> w + 512)),
    REFCOUNT_TABLE_BEYOND_END(t -> t.changeRefcountTable(w -> w + (1L << 35))),
    REFCOUNT_TABLE_RESERVED(t -> t.changeRefcountTable(w -> w | 3)),
    REFCOUNT_TABLE_EMPTY(t -> t.changeRefcountTable(w -> 0)),
    REFCOUNT_BLOCK_IS_L1(t -> t.changeRefcountTable(w -> t.header.l1TableOffset())),
    REFCOUNT_BLOCK_IS_L2(t -> t.changeRefcountTable(w -> t.l2Table())),
    REFCOUNT_BLOCK_IS_DATA(t -> t.changeRefcountTable(w -> t.otherData())),
    REFCOUNT_BLOCK_TWICE(t -> t.put(t.header.refcountTableOffset() + 8, t.refcountBlock())),
    REFCOUNT_TABLE_CLUSTERS_NONE(t -> t.putInt(56, 0)),
    REFCOUNT_TABLE_CLUSTERS_MORE(t -> t.putInt(56, 2)),
    REFCOUNT_TABLE_AT_HEADER(t -> t.put(48, 0)),
    REFCOUNT_TABLE_AT_L1(t -> t.put(48, t.header.l1TableOffset())),
    REFCOUNT_TABLE_AT_END(t -> t.put(48, 1L << 40)),
    L1_AT_REFCOUNT_BLOCK_OF_ZEROS(t -> t.put(HeaderLayout.L1_TABLE_OFFSET_OFFSET, t.zeroCluster())),
    REFCOUNT_TOO_LOW(t -> t.refcount(c -> c - 1)),
    REFCOUNT_ZERO(t -> t.refcount(c -> 0)),
    REFCOUNT_TOO_HIGH(t -> t.refcount(c -> c == t.layout.countMax() ? c : c + 1)),
    REFCOUNT_HIGHEST(t -> t.refcount(c -> t.layout.countMax())),
    CLUSTER_LEAKED(t -> t.leak()),
    DIRTY_BIT(t -> t.feature(Qcow2Header.DIRTY)),
    CORRUPT_BIT(t -> t.feature(Qcow2Header.CORRUPT)),
    DIRTY_BIT_AND_COUNTS(t -> t.feature(Qcow2Header.DIRTY) && t.refcount(c -> 0));

    /** Changes a word. */
    interface Change {
        long of(long word);
    }

    private interface Hit {
        boolean on(Target target);
    }

    @SuppressWarnings("ImmutableEnumChecker") // a lambda without state
    private final Hit hit;

    Damage(Hit hit) {
        this.hit = hit;
    }

    /** False: the image has nothing that can be damaged so; it is as it was. */
    boolean apply(ClosedImage image, Random random) {
        return hit.on(new Target(image, random));
    }

    /** An image to be damaged. */
    private static final class Target {
        final ClosedImage image;
        final Qcow2Header header;
        final RefcountLayout layout;
        private final Random random;

        Target(ClosedImage image, Random random) {
            this.image = image;
            this.header = image.header;
            this.layout = header.refcounts();
            this.random = random;
        }

        long word(long hostOffset) {
            return image.read(hostOffset, ByteBuffer.allocate(8), 8).getLong(0);
        }

        boolean put(long hostOffset, long word) {
            boolean differs = word(hostOffset) != word;
            image.writeEntry(hostOffset, word);
            return differs;
        }

        boolean putInt(long hostOffset, int value) {
            boolean differs = image.read(hostOffset, ByteBuffer.allocate(4), 4).getInt(0) != value;
            image.write(hostOffset, ByteBuffer.allocate(4).putInt(value).flip());
            return differs;
        }

        boolean extended() {
            return header.hasExtendedL2();
        }

        boolean isStandard3() {
            return header.version() >= 3 && !extended();
        }

        boolean hasSnapshots() {
            return header.snapshotCount() > 0;
        }

        boolean hasBitmaps() {
            return header.bitmaps() != null;
        }

        long bitmapDirectory() {
            BitmapsExtension extension = header.bitmaps();
            return extension == null ? 0 : extension.directoryOffset();
        }

        long refcountBlock() {
            return RefcountLayout.blockHostOffset(word(header.refcountTableOffset()));
        }

        private List<Long> l1Entries(long tableOffset, int entries) {
            List<Long> used = new ArrayList<>();
            for (int i = 0; i < entries; i++) {
                if (L1Entry.isAllocated(word(tableOffset + 8L * i))) {
                    used.add(tableOffset + 8L * i);
                }
            }
            return used;
        }

        private List<Long> l2Entries(long l1Offset, int l1Size) {
            List<Long> entries = new ArrayList<>();
            for (long l1Entry : l1Entries(l1Offset, l1Size)) {
                long table = L1Entry.hostOffset(word(l1Entry));
                for (int at = 0; at < image.clusterSize; at += image.geometry.l2EntryBytes()) {
                    entries.add(table + at);
                }
            }
            return entries;
        }

        private List<Long> active() {
            return l2Entries(header.l1TableOffset(), header.l1Size());
        }

        private static boolean isData(long word) {
            return (word & (L2Entry.COMPRESSED | L2Entry.ZERO)) == 0
                    && L2Entry.hostOffset(word) != 0;
        }

        private long pick(List<Long> places) {
            return places.isEmpty() ? 0 : places.get(random.nextInt(places.size()));
        }

        private long data() {
            return pick(active().stream().filter(at -> isData(word(at))).toList());
        }

        private long stream() {
            return pick(active().stream().filter(at -> L2Entry.isCompressed(word(at))).toList());
        }

        private long snapshotData() {
            if (!hasSnapshots()) {
                return 0;
            }
            long table = header.snapshotsOffset();
            int size = image.read(table + 8, ByteBuffer.allocate(4), 4).getInt(0);
            List<Long> entries = l2Entries(word(table), size);
            return pick(entries.stream().filter(at -> isData(word(at))).toList());
        }

        /** The L2 table of the first L1 entry that has one. */
        long l2Table() {
            List<Long> used = l1Entries(header.l1TableOffset(), header.l1Size());
            return used.isEmpty() ? 0 : L1Entry.hostOffset(word(used.get(0)));
        }

        long otherL2() {
            List<Long> used = l1Entries(header.l1TableOffset(), header.l1Size());
            return used.size() < 2 ? 0 : L1Entry.hostOffset(word(used.get(used.size() - 1)));
        }

        long otherData() {
            long entry = header.hasExternalDataFile() ? 0 : data();
            return entry == 0 ? 0 : L2Entry.hostOffset(word(entry));
        }

        /** A cluster behind the end of the file. */
        long zeroCluster() {
            long end = image.geometry.alignUp(image.fileSizeBytes);
            image.write(end, ByteBuffer.allocate(image.clusterSize));
            return end;
        }

        private boolean changed(long at, Change change) {
            return at != 0 && put(at, change.of(word(at)));
        }

        boolean changeL1(Change change) {
            return changed(pick(l1Entries(header.l1TableOffset(), header.l1Size())), change);
        }

        boolean l1To(long hostOffset) {
            List<Long> used = l1Entries(header.l1TableOffset(), header.l1Size());
            return hostOffset != 0
                    && !used.isEmpty()
                    && put(used.get(0), hostOffset | L1Entry.COPIED);
        }

        boolean changeData(Change change) {
            return changed(data(), change);
        }

        boolean dataTo(long hostOffset) {
            long entry = header.hasExternalDataFile() ? 0 : data();
            return entry != 0 && hostOffset != 0 && put(entry, hostOffset | L2Entry.COPIED);
        }

        boolean changeSnapshotData(Change change) {
            return changed(snapshotData(), change);
        }

        boolean snapshotDataTo(long hostOffset) {
            long entry = snapshotData();
            return entry != 0 && put(entry, hostOffset);
        }

        boolean changeFree(Change change) {
            return changed(pick(active().stream().filter(at -> word(at) == 0).toList()), change);
        }

        boolean changeStream(Change change) {
            return changed(stream(), change);
        }

        boolean compressedTo(long hostOffset) {
            if (header.hasExternalDataFile()) {
                return false;
            }
            long entry = stream() == 0 ? data() : stream();
            if (entry == 0) {
                return false;
            }
            if (extended()) {
                image.writeEntry(entry + 8, 0);
            }
            return put(entry, L2Entry.compressed(hostOffset, 400, image.clusterBits));
        }

        boolean changeStreamBitmap() {
            long entry = stream();
            return entry != 0 && put(entry + 8, 6);
        }

        boolean changeBitmap(Change change) {
            long entry = data();
            return entry != 0 && changed(entry + 8, change);
        }

        boolean freeBitmap(long bitmap) {
            List<Long> free =
                    active().stream().filter(at -> word(at) == 0 && word(at + 8) == 0).toList();
            return !free.isEmpty() && put(pick(free) + 8, bitmap);
        }

        boolean unalignedZeroCluster() {
            long entry = data();
            return entry != 0 && put(entry, word(entry) + 512) && put(entry + 8, 0xf0L << 32);
        }

        boolean changeSnapshot(int field, long added) {
            long at = header.snapshotsOffset() + field;
            return put(at, word(at) + added);
        }

        boolean snapshotL1To(long hostOffset) {
            return put(header.snapshotsOffset(), hostOffset);
        }

        /** The last entry of the table gets extra data of that length. */
        boolean snapshotExtra(int length) {
            if (!hasSnapshots() || header.version() < 3 || image.clusterSize < 4096) {
                return false;
            }
            int at = 0;
            ByteBuffer table =
                    image.read(
                            header.snapshotsOffset(),
                            ByteBuffer.allocate(image.clusterSize),
                            image.clusterSize);
            for (int i = 1; i < header.snapshotCount(); i++) {
                int names = table.getShort(at + 12) + table.getShort(at + 14);
                at += 40 + table.getInt(at + 36) + names + 7 & ~7;
            }
            int names = table.getShort(at + 12) + table.getShort(at + 14);
            int extra = table.getInt(at + 36);
            byte[] text = new byte[names];
            table.get(at + 40 + extra, text);
            byte[] known = new byte[Math.min(extra, length)];
            table.get(at + 40, known);
            table.putInt(at + 36, length).put(at + 40, new byte[length + names]);
            table.put(at + 40, known).put(at + 40 + length, text);
            image.write(header.snapshotsOffset(), table.clear());
            return true;
        }

        boolean changeRefcountTable(Change change) {
            return changed(header.refcountTableOffset(), change);
        }

        boolean refcount(Change change) {
            ByteBuffer block =
                    image.read(
                            refcountBlock(),
                            ByteBuffer.allocate(image.clusterSize),
                            image.clusterSize);
            List<Integer> used = new ArrayList<>();
            for (int i = 0; i < layout.blockEntries() && i < image.clusters(); i++) {
                if (layout.get(block, i) > 0) {
                    used.add(i);
                }
            }
            int cluster = used.get(random.nextInt(used.size()));
            long old = layout.get(block, cluster);
            layout.set(block, cluster, change.of(old));
            image.write(refcountBlock(), block.clear());
            return change.of(old) != old;
        }

        boolean leak() {
            long cluster = zeroCluster() >>> image.clusterBits;
            ByteBuffer block =
                    image.read(
                            refcountBlock(),
                            ByteBuffer.allocate(image.clusterSize),
                            image.clusterSize);
            if (layout.blockIndex(cluster) != 0) {
                return false;
            }
            layout.set(block, (int) cluster, 1);
            image.write(refcountBlock(), block.clear());
            return true;
        }

        boolean feature(long bit) {
            if (header.version() < 3) {
                return false;
            }
            image.writeFeatures(header.incompatibleFeatures() | bit, header.autoclearFeatures());
            return true;
        }
    }
}
