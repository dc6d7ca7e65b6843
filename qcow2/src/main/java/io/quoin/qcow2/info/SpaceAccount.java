package io.quoin.qcow2.info;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.TablesAhead;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.agrona.collections.Long2LongHashMap;

/**
 * Finds out which clusters of an image one root alone uses, and which several: the roots are the L1
 * tables of the disk and of its snapshots. Only references count, so counts that are too high do
 * not matter.
 *
 * <p>What a table leads to that two roots have is shared, so a table is read twice at most, however
 * many snapshots have it, unless compressed clusters are in it: several of these may lie in one
 * host cluster, also under different tables.
 *
 * <p>Threading: confined to its user.
 */
public final class SpaceAccount {
    private static final short NONE = 0;
    private static final short SHARED = -1;
    private static final int ROOTS_MAX = 0xFFFE;
    private static final int BYTES_PER_CLUSTER = Short.BYTES + 1;
    private static final long UNKNOWN = -1;

    private final ClosedImage image;
    private final CheckListener listener;

    /** The root that alone uses each cluster, from 1 on. */
    private final short[] owners;

    /** Clusters used by this root and others, as far as they were met. */
    private final BitSet met = new BitSet();

    /** Clusters below tables of which all are shared, by the host offset of the table. */
    private final Long2LongHashMap sharedBelow = new Long2LongHashMap(UNKNOWN);

    private final ByteBuffer l1;
    private final TablesAhead tables;
    private final long[] used;
    private final long[] inDataFile;
    private int root;
    private long doneEntries;
    private long totalEntries;

    private SpaceAccount(ClosedImage image, int roots, CheckListener listener) {
        this.image = image;
        this.listener = listener;
        this.owners = new short[(int) image.clusters()];
        this.l1 = image.tableBuffer();
        this.tables = new TablesAhead(image, this::soundOffset);
        this.used = new long[roots];
        this.inDataFile = new long[roots];
    }

    /**
     * Takes stock. Entries that lead nowhere are passed over: a check tells of them.
     *
     * @param bytesMax how much memory it may use
     * @throws BlockException ENOMEM if the image has more clusters than that is for, EIO if it
     *     cannot be read
     */
    public static SpaceUsage of(ClosedImage image, CheckListener listener, long bytesMax) {
        SnapshotTable table = image.snapshots();
        List<SnapshotEntry> snapshots = table.entries();
        long clusters = image.clusters();
        if (clusters * BYTES_PER_CLUSTER > bytesMax
                || clusters > Integer.MAX_VALUE - Long.SIZE
                || snapshots.size() >= ROOTS_MAX) {
            throw image.refusal(
                    BlockError.ENOMEM,
                    "space cannot be counted: clusters="
                            + clusters
                            + ", expected=at most "
                            + bytesMax / BYTES_PER_CLUSTER
                            + ", snapshots="
                            + snapshots.size());
        }
        SpaceAccount account = new SpaceAccount(image, snapshots.size() + 1, listener);
        account.totalEntries = image.header.l1Size();
        snapshots.forEach(snapshot -> account.totalEntries += snapshot.l1Size());
        account.walk(0, image.header.l1TableOffset(), image.header.l1Size());
        for (int i = 0; i < snapshots.size(); i++) {
            account.walk(i + 1, snapshots.get(i).l1TableOffset(), snapshots.get(i).l1Size());
        }
        return account.result(snapshots);
    }

    private SpaceUsage result(List<SnapshotEntry> snapshots) {
        long[] exclusive = new long[used.length];
        for (short owner : owners) {
            if (owner != NONE && owner != SHARED) {
                exclusive[(owner & 0xFFFF) - 1]++;
            }
        }
        long[] tableClusters = tableClustersLost(snapshots);
        List<SpaceUsage.Root> roots = new ArrayList<>();
        for (int i = 0; i < used.length; i++) {
            roots.add(
                    new SpaceUsage.Root(
                            i == 0 ? null : snapshots.get(i - 1).name(),
                            (exclusive[i] + inDataFile[i]) << image.clusterBits,
                            (used[i] - exclusive[i]) << image.clusterBits,
                            i == 0
                                    ? 0
                                    : (exclusive[i] + tableClusters[i - 1]) << image.clusterBits));
        }
        return new SpaceUsage(roots.get(0), roots.subList(1, roots.size()));
    }

    /** By how much shorter the table of snapshots is without each of them. */
    private long[] tableClustersLost(List<SnapshotEntry> snapshots) {
        long now = image.geometry.clustersFor(image.snapshots().sizeBytes());
        long[] lost = new long[snapshots.size()];
        int[] sizes = new int[snapshots.size()];
        long all = 0;
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = SnapshotTableLayout.encodedBytes(snapshots.get(i));
            all += padded(sizes[i]);
        }
        for (int i = 0; i < sizes.length; i++) {
            int last = i == sizes.length - 1 ? i - 1 : sizes.length - 1;
            long padding = last < 0 ? 0 : padded(sizes[last]) - sizes[last];
            lost[i] = now - image.geometry.clustersFor(all - padded(sizes[i]) - padding);
        }
        return lost;
    }

    /** Entries begin at multiples of 8. */
    private static int padded(int sizeBytes) {
        return sizeBytes + 7 & ~7;
    }

    private void walk(int newRoot, long tableOffset, int entries) {
        root = newRoot;
        met.clear();
        use(tableOffset, (long) entries * L1Entry.SIZE_BYTES);
        int chunk = l1.capacity() / L1Entry.SIZE_BYTES;
        for (int first = 0; first < entries; first += chunk) {
            int count = Math.min(chunk, entries - first);
            image.read(
                    tableOffset + (long) first * L1Entry.SIZE_BYTES,
                    l1,
                    count * L1Entry.SIZE_BYTES);
            for (int i = 0; i < count; i++) {
                long hostOffset = soundOffset(l1.getLong(i * L1Entry.SIZE_BYTES));
                if (hostOffset != 0) {
                    enter(hostOffset, i * L1Entry.SIZE_BYTES);
                    listener.progress(doneEntries + i, totalEntries);
                }
            }
            doneEntries += count;
            listener.progress(doneEntries, totalEntries);
        }
    }

    private long soundOffset(long entry) {
        return L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes).isNone()
                ? L1Entry.hostOffset(entry)
                : 0;
    }

    private void enter(long hostOffset, int position) {
        boolean wasShared = owners[cluster(hostOffset)] == SHARED;
        use(hostOffset, image.clusterSize);
        long known = wasShared ? sharedBelow.get(hostOffset) : UNKNOWN;
        if (known != UNKNOWN) {
            used[root] += known;
            return;
        }
        long before = used[root];
        boolean hasStreams = useEntries(tables.table(l1, position));
        // Two roots at least have been through it by now.
        if (owners[cluster(hostOffset)] == SHARED && !hasStreams) {
            sharedBelow.put(hostOffset, used[root] - before);
        }
    }

    private int cluster(long hostOffset) {
        return (int) (hostOffset >>> image.clusterBits);
    }

    /** Whether there are compressed clusters. */
    private boolean useEntries(ByteBuffer table) {
        boolean hasStreams = false;
        int step = image.geometry.l2EntryBytes();
        for (int at = 0; at < image.clusterSize; at += step) {
            long entry = table.getLong(at);
            if (entry == 0) {
                continue;
            }
            if (L2Entry.isCompressed(entry)) {
                hasStreams = true;
                use(
                        L2Entry.compressedHostOffset(entry, image.clusterBits),
                        L2Entry.compressedLengthBytes(entry, image.clusterBits));
            } else if (L2Entry.hasHost(entry, image.header.hasExternalDataFile())) {
                if (image.header.hasExternalDataFile()) {
                    inDataFile[root]++;
                } else {
                    use(L2Entry.hostOffset(entry), image.clusterSize);
                }
            }
        }
        return hasStreams;
    }

    /** The root uses each cluster of the range, as far as it is in the file. */
    private void use(long hostOffset, long lengthBytes) {
        long end = Math.min(hostOffset + lengthBytes, image.fileSizeBytes);
        if (hostOffset < 0 || hostOffset >= end) {
            return;
        }
        int last = cluster(end - 1);
        short own = (short) (root + 1);
        for (int i = cluster(hostOffset); i <= last; i++) {
            if (owners[i] == NONE) {
                owners[i] = own;
                used[root]++;
            } else if (owners[i] != own && !met.get(i)) {
                owners[i] = SHARED;
                met.set(i);
                used[root]++;
            }
        }
    }
}
