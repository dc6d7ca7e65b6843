package io.quoin.qcow2.compress;

import io.quoin.block.BlockError;
import io.quoin.block.IoVector;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * Reads compressed clusters of an image. Each is read and decompressed in a slot; as many at once
 * as there are slots, the others wait in line. A slot keeps its cluster until another one needs it,
 * so that small reads one after the other decompress a cluster once.
 *
 * <pre>
 *  EMPTY --read--> BUSY: read from the file, decompress on a worker --ok--> FULL --another cluster, or forget--> ..
 *                                                                  --not--> EMPTY, EIO for what waits
 * </pre>
 *
 * What cannot be decompressed ends the read and nothing else: the structure of the image does not
 * depend on it.
 *
 * <p>Threading: confined(loop).
 */
public final class ClusterReader {
    private static final long BYTES_MAX = 32 << 20;
    private static final int SLOTS_MIN = 2;
    private static final int SLOTS_PREFERRED = 64;
    private static final int ALIGNMENT = 4096;

    private enum State {
        EMPTY,
        BUSY,
        FULL
    }

    private final ImageIo io;
    private final CompressionWorkers workers;
    private final int compressionType;
    private final int clusterBits;
    private final int slotsMax;
    private final List<Slot> slots = new ArrayList<>();
    private final ArrayDeque<Read> line = new ArrayDeque<>();
    private final ArrayDeque<Read> idle = new ArrayDeque<>();
    private long clock;
    private boolean serving;

    public ClusterReader(ImageIo io, Qcow2Header header, CompressionWorkers workers) {
        this.io = io;
        this.workers = workers;
        this.compressionType = header.compressionType();
        this.clusterBits = header.clusterBits();
        long slotBytes = 3L << clusterBits;
        int wanted = Math.max(SLOTS_PREFERRED, 4 * workers.parallelism());
        this.slotsMax = (int) Math.max(SLOTS_MIN, Math.min(wanted, BYTES_MAX / slotBytes));
    }

    /**
     * Puts bytes of the cluster that {@code entry} describes into {@code target}, from {@code
     * position} on.
     *
     * @param inCluster the first byte wanted
     */
    public void read(
            long entry,
            int inCluster,
            int lengthBytes,
            IoVector target,
            long position,
            Outcome outcome) {
        start(take().set(entry, inCluster, lengthBytes, target, position, outcome));
    }

    /** As above, to {@code address}. */
    public void read(long entry, int inCluster, int lengthBytes, long address, Outcome outcome) {
        start(take().set(entry, inCluster, lengthBytes, null, address, outcome));
    }

    /** The cluster of {@code entry} may be used for something else from now on. */
    public void forget(long entry) {
        Slot slot = find(entry);
        if (slot != null && slot.state == State.FULL) {
            slot.state = State.EMPTY;
        } else if (slot != null) {
            slot.stale = true;
        }
    }

    private Read take() {
        Read read = idle.pollLast();
        return read == null ? new Read() : read;
    }

    private void start(Read read) {
        if (!line.isEmpty() || !begin(read)) {
            line.addLast(read);
        }
    }

    /** Whether it is done or has a slot. */
    private boolean begin(Read read) {
        Slot slot = find(read.entry);
        if (slot == null) {
            slot = freeSlot();
            if (slot == null) {
                return false;
            }
            slot.load(read);
        } else if (slot.state == State.BUSY) {
            slot.reads.add(read);
        } else {
            slot.lastUse = ++clock;
            read.copyFrom(slot.address);
            end(read, BlockError.OK);
        }
        return true;
    }

    private @Nullable Slot find(long entry) {
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            if (slot.entry == entry && slot.state != State.EMPTY && !slot.stale) {
                return slot;
            }
        }
        return null;
    }

    /** An empty one, or the full one whose last use is the longest ago; null: all are busy. */
    private @Nullable Slot freeSlot() {
        Slot found = null;
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            if (slot.state == State.EMPTY) {
                return slot;
            }
            if (slot.state == State.FULL && (found == null || slot.lastUse < found.lastUse)) {
                found = slot;
            }
        }
        if (slots.size() < slotsMax) {
            found = new Slot();
            slots.add(found);
        }
        return found;
    }

    private void end(Read read, BlockError error) {
        Outcome outcome = read.outcome;
        read.clear();
        idle.addLast(read);
        outcome.done(error);
    }

    private void serveLine() {
        if (serving) {
            return;
        }
        serving = true;
        try {
            while (!line.isEmpty()) {
                Read first = line.removeFirst();
                if (!begin(first)) {
                    line.addFirst(first);
                    return;
                }
            }
        } finally {
            serving = false;
        }
    }

    /** What waits for bytes of a cluster. */
    private static final class Read {
        private static final Outcome NONE = error -> {};

        long entry;
        private int inCluster;
        private int lengthBytes;
        private @Nullable IoVector target;
        private long place;
        Outcome outcome = NONE;

        Read set(
                long newEntry,
                int newInCluster,
                int newLengthBytes,
                @Nullable IoVector newTarget,
                long newPlace,
                Outcome newOutcome) {
            entry = newEntry;
            inCluster = newInCluster;
            lengthBytes = newLengthBytes;
            target = newTarget;
            place = newPlace;
            outcome = newOutcome;
            return this;
        }

        void copyFrom(long clusterAddress) {
            IoVector vector = target;
            if (vector == null) {
                UnsafeApi.copyMemory(clusterAddress + inCluster, place, lengthBytes);
            } else {
                vector.copyFrom(place, clusterAddress + inCluster, lengthBytes);
            }
        }

        void clear() {
            target = null;
            outcome = NONE;
        }
    }

    /** Memory for one cluster and its compressed form. */
    private final class Slot {
        final List<Read> reads = new ArrayList<>();
        private final ByteBuffer cluster;
        final long address;
        private final Runnable decompress = this::decompress;
        private final Runnable decompressed = this::decompressed;
        private final Outcome whenRead = this::onRead;
        private ByteBuffer stream = ByteBuffer.allocateDirect(0);
        private int streamStart;
        private int streamEnd;
        private boolean valid;
        State state = State.EMPTY;
        boolean stale;
        long entry;
        long lastUse;

        Slot() {
            cluster = BufferUtil.allocateDirectAligned(1 << clusterBits, ALIGNMENT);
            address = BufferUtil.address(cluster);
        }

        void load(Read read) {
            state = State.BUSY;
            stale = false;
            entry = read.entry;
            lastUse = ++clock;
            reads.add(read);
            long hostOffset = L2Entry.compressedHostOffset(entry, clusterBits);
            long hostEnd = hostOffset + L2Entry.compressedLengthBytes(entry, clusterBits);
            long fileSize = io.fileSizeBytes();
            if (hostOffset >= fileSize) {
                ended(BlockError.EIO);
                return;
            }
            long block = io.file().geometry().blockSizeMin();
            long from = hostOffset & -block;
            long to = Math.min((hostEnd + block - 1) & -block, fileSize);
            int length = (int) (to - from);
            if (stream.capacity() < length) {
                stream = BufferUtil.allocateDirectAligned(length, ALIGNMENT);
            }
            streamStart = (int) (hostOffset - from);
            streamEnd = (int) (Math.min(hostEnd, to) - from);
            io.read(from, BufferUtil.address(stream), length, whenRead);
        }

        private void onRead(BlockError error) {
            if (error.isOk()) {
                workers.execute(decompress);
            } else {
                ended(error);
            }
        }

        /** On a worker; handing the task over and back orders its accesses to the slot. */
        private void decompress() {
            valid = false;
            try {
                Codec codec = workers.take(compressionType);
                stream.limit(streamEnd).position(streamStart);
                valid = codec.decompress(stream, cluster.clear());
                workers.give(compressionType, codec);
            } finally {
                io.loop().execute(decompressed);
            }
        }

        private void decompressed() {
            ended(valid ? BlockError.OK : BlockError.EIO);
        }

        private void ended(BlockError error) {
            List<Read> served = List.copyOf(reads);
            reads.clear();
            if (error.isOk()) {
                for (Read read : served) {
                    read.copyFrom(address);
                }
            }
            state = error.isOk() && !stale ? State.FULL : State.EMPTY;
            stale = false;
            for (Read read : served) {
                end(read, error);
            }
            serveLine();
        }
    }
}
