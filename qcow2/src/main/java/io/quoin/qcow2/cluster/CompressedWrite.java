package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.compress.ClusterCompressor;
import io.quoin.qcow2.layout.L2Entry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A WRITE whose clusters are to be stored compressed, a window of them at a time.
 *
 * <pre>
 *  COMPRESS  all of the window at once, on the workers
 *  PLACE     EXCLUSIVE on the window: streams get places one behind the other, each host cluster's count is raised
 *  WRITE     one child request for each run of places that follow each other
 *  LINK      entries in memory; the flusher writes them after counts and data are durable
 *  REST      the lock is released: clusters that do not become smaller and those that have a place already are written
 *            as ordinary requests
 * </pre>
 *
 * <p>Streams that were placed and not linked, because something failed, are dropped.
 *
 * <p>Threading: confined(loop).
 */
final class CompressedWrite extends GuestOp {
    private enum Phase {
        COMPRESS,
        PLACE,
        WRITE,
        LINK,
        REST
    }

    private static final long[] NO_PLACES = {};
    private static final long UNPLACED = 0;
    private static final long LINKED = -1;

    private final Consumer<IoRequest> changes;
    private final Consumer<CompressedWrite> idle;
    private final List<ClusterCompressor.Chunk> chunks = new ArrayList<>();
    private Phase phase = Phase.COMPRESS;
    private long start;
    private boolean fua;
    private long windowEnd;
    private int clusters;
    private int cursor;

    /** The entry of each cluster of the window, once it has a place for its stream. */
    private long[] places = NO_PLACES;

    /**
     * @param changes starts a change that is a part of this one
     */
    CompressedWrite(
            MappedImage image, Consumer<IoRequest> changes, Consumer<CompressedWrite> idle) {
        super(image);
        this.changes = changes;
        this.idle = idle;
    }

    @Override
    protected void prepare(IoRequest request) {
        start = position;
        fua = request.has(IoFlags.FUA);
        phase = Phase.COMPRESS;
        clusters = 0;
        long mask = image.clusterSizeBytes - 1L;
        if ((position & mask) != 0 || ((end & mask) != 0 && end != image.disk.sizeBytes())) {
            fail(BlockError.EINVAL);
        }
    }

    @Override
    protected void walk() {
        while (position < end && error.isOk() && !waiting && pending == 1) {
            if (!image.health.isWritable()) {
                fail(image.health.refusal());
                return;
            }
            switch (phase) {
                case COMPRESS -> compress();
                case PLACE -> place();
                case WRITE -> write();
                case LINK -> link();
                case REST -> writeRest();
            }
        }
    }

    private void compress() {
        int bits = image.clusterBits;
        long left = (end - position + image.clusterSizeBytes - 1) >>> bits;
        int most = image.compressor.windowClusters();
        int wanted = (int) Math.min(left, Math.min(most, image.disk.transferBytesMax >>> bits));
        if (chunks.isEmpty() && !image.compressor.take(wanted, chunks, this)) {
            waiting = true;
            return;
        }
        windowEnd = Math.min(end, position + ((long) wanted << bits));
        if (places.length < wanted) {
            places = new long[wanted];
        }
        Arrays.fill(places, 0, wanted, UNPLACED);
        // Not before the places are there: a write that fails while it waits above looks at them.
        clusters = wanted;
        cursor = 0;
        phase = Phase.PLACE;
        range.exclusive(true);
        lockRange(position, windowEnd);
        long chunkBytes = (long) image.compressor.chunkClusters() << bits;
        long from = position;
        for (ClusterCompressor.Chunk chunk : chunks) {
            long lengthBytes = Math.min(chunkBytes, windowEnd - from);
            pending++;
            chunk.start(parent().memory(), from - start, lengthBytes, whenPartDone);
            from += lengthBytes;
        }
    }

    private void place() {
        if (!lock()) {
            return;
        }
        // Others may have used the packer since the last time.
        image.packer.startWrite();
        MappedRun run = image.run;
        while (cursor < clusters) {
            long guestOffset = guestOffset(cursor);
            int lengthBytes = result(cursor);
            if (lengthBytes > 0) {
                switch (run.find(guestOffset, guestOffset + 1)) {
                    case LOAD -> {
                        waiting = true;
                        image.tables.load(run.sliceIndex, this);
                        return;
                    }
                    case REFUSED -> {
                        fail(run.error);
                        return;
                    }
                    case FOUND -> {
                        if (isReplaceable(run, guestOffset) && !placeStream(lengthBytes)) {
                            return;
                        }
                    }
                }
            }
            cursor++;
        }
        cursor = 0;
        phase = Phase.WRITE;
    }

    /** Whether a stream may take the place of what is there: nothing, or another stream. */
    private boolean isReplaceable(MappedRun run, long guestOffset) {
        Slice slice = run.slice;
        if (slice == null) {
            return true;
        }
        long descriptor = image.form.descriptor(slice, image.form.l2Index(guestOffset));
        return L2Entry.isCompressed(descriptor)
                ? image.host.isCompressedDataArea(descriptor)
                : !image.form.hasHost(descriptor);
    }

    private boolean placeStream(int lengthBytes) {
        long hostOffset = image.packer.place(lengthBytes);
        if (hostOffset < 0) {
            awaitClusters();
            return false;
        }
        if (!L2Entry.isCompressible(hostOffset, lengthBytes, image.clusterBits)) {
            // Too far behind for an entry of this cluster size: written as usual.
            image.host.drop(l1Index(cursor), hostOffset, lengthBytes);
            image.packer.startWrite();
            return true;
        }
        places[cursor] = L2Entry.compressed(hostOffset, lengthBytes, image.clusterBits);
        if (!image.host.isCompressedDataArea(places[cursor])) {
            fail(BlockError.EIO);
            return false;
        }
        return true;
    }

    private void write() {
        phase = Phase.LINK;
        cursor = 0;
        int at = 0;
        while (at < clusters) {
            if (places[at] == UNPLACED) {
                at++;
            } else {
                at = writeRun(at);
            }
        }
    }

    /**
     * Writes streams from {@code first} on whose places follow each other; gives the cursor one.
     */
    private int writeRun(int first) {
        long from = hostOffset(first);
        long to = from;
        int at = first;
        for (; at < clusters; at++) {
            if (places[at] != UNPLACED) {
                if (hostOffset(at) != to) {
                    break;
                }
                to += result(at);
            }
        }
        long block = image.io.file().geometry().blockSizeMin();
        long padding = -to & (block - 1);
        IoRequest child = child(IoOp.WRITE, from, to + padding - from);
        IoVector memory = child.memory();
        for (int i = first; i < at; i++) {
            if (places[i] != UNPLACED) {
                memory.add(chunk(i).address(inChunk(i)), result(i));
            }
        }
        ZeroMemory.addTo(memory, padding);
        send(image.io.file(), child);
        return at;
    }

    private void link() {
        while (cursor < clusters) {
            if (places[cursor] > UNPLACED) {
                long guestOffset = guestOffset(cursor);
                Slice slice = ownSlice(image.form.sliceIndex(guestOffset));
                if (slice == null) {
                    return;
                }
                int l2Index = image.form.l2Index(guestOffset);
                long old = image.form.descriptor(slice, l2Index);
                image.form.put(image.tables, slice, l2Index, places[cursor], 0, true);
                if (L2Entry.isCompressed(old)) {
                    image.host.dropCompressed(l1Index(cursor), old);
                }
                places[cursor] = LINKED;
            }
            cursor++;
        }
        image.locks.release(range);
        phase = Phase.REST;
    }

    private void writeRest() {
        int at = 0;
        while (at < clusters) {
            int first = at;
            boolean linked = places[first] == LINKED;
            while (at < clusters && (places[at] == LINKED) == linked) {
                at++;
            }
            if (!linked) {
                sendPlain(guestOffset(first), Math.min(end, guestOffset(at)));
            }
        }
        position = windowEnd;
        phase = Phase.COMPRESS;
        clusters = 0;
        image.compressor.giveBack(chunks);
    }

    private void sendPlain(long from, long to) {
        IoRequest child = child(IoOp.WRITE, from, to - from);
        child.memory().addSlice(parent().memory(), from - start, to - from);
        countChild(child);
        changes.accept(child);
    }

    private long guestOffset(int cluster) {
        return position + ((long) cluster << image.clusterBits);
    }

    private int l1Index(int cluster) {
        return (int) (guestOffset(cluster) >>> image.form.l1Shift);
    }

    private int result(int cluster) {
        return chunk(cluster).lengthBytes(inChunk(cluster));
    }

    private ClusterCompressor.Chunk chunk(int cluster) {
        return chunks.get(cluster / image.compressor.chunkClusters());
    }

    private int inChunk(int cluster) {
        return cluster % image.compressor.chunkClusters();
    }

    private long hostOffset(int cluster) {
        return L2Entry.compressedHostOffset(places[cluster], image.clusterBits);
    }

    @Override
    protected void finish(IoRequest request, BlockError outcome) {
        for (int i = 0; i < clusters; i++) {
            if (places[i] > UNPLACED) {
                image.host.dropCompressed(l1Index(i), places[i]);
            }
        }
        clusters = 0;
        image.compressor.giveBack(chunks);
        boolean flush = fua && outcome.isOk();
        idle.accept(this);
        if (flush) {
            image.flusher.flush(request);
        } else {
            request.complete(outcome);
        }
    }
}
