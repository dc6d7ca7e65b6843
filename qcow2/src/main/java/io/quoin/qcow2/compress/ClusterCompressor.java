package io.quoin.qcow2.compress;

import io.quoin.block.BlockError;
import io.quoin.block.IoVector;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

/**
 * Compresses clusters of an image on the workers, several chunks of them at once, in memory that is
 * bounded for the image.
 *
 * <p>Threading: confined(loop).
 */
public final class ClusterCompressor {
    /** The result for a cluster that does not become smaller. */
    public static final int PLAIN = 0;

    private static final long BYTES_MAX = 32 << 20;
    private static final int CHUNK_BYTES = 64 << 10;
    private static final int CHUNKS_MIN = 4;
    private static final long WINDOW_BYTES_MAX = 4 << 20;

    private final Loop loop;
    private final CompressionWorkers workers;
    private final int compressionType;
    private final int clusterBits;
    private final int chunkClusters;
    private final int chunksMax;
    private final ArrayDeque<Chunk> idle = new ArrayDeque<>();
    private final ArrayDeque<Waiter> line = new ArrayDeque<>();
    private int made;
    private boolean serving;

    public ClusterCompressor(Loop loop, Qcow2Header header, CompressionWorkers workers) {
        this.loop = loop;
        this.workers = workers;
        this.compressionType = header.compressionType();
        this.clusterBits = header.clusterBits();
        this.chunkClusters = Math.max(1, CHUNK_BYTES >>> clusterBits);
        this.chunksMax = (int) Math.max(CHUNKS_MIN, BYTES_MAX / chunkBytes());
    }

    private long chunkBytes() {
        return (long) chunkClusters << clusterBits;
    }

    /** Clusters that are compressed as one task. */
    public int chunkClusters() {
        return chunkClusters;
    }

    /** How many clusters may be asked for at once: half of what there is memory for at most. */
    public int windowClusters() {
        long chunks = Math.min(WINDOW_BYTES_MAX / chunkBytes(), chunksMax / 2);
        return (int) Math.max(1, chunks) * chunkClusters;
    }

    /**
     * Adds what compresses {@code clusters} clusters to {@code into}; false: that will be done
     * later, and {@code waiter} resumed.
     */
    public boolean take(int clusters, List<Chunk> into, Steps waiter) {
        int wanted = (clusters + chunkClusters - 1) / chunkClusters;
        if (!line.isEmpty() || !isAvailable(wanted)) {
            line.addLast(new Waiter(wanted, into, waiter));
            return false;
        }
        fill(wanted, into);
        return true;
    }

    private boolean isAvailable(int wanted) {
        return idle.size() + chunksMax - made >= wanted;
    }

    private void fill(int wanted, List<Chunk> into) {
        for (int i = 0; i < wanted; i++) {
            Chunk chunk = idle.pollLast();
            if (chunk == null) {
                made++;
                chunk = new Chunk();
            }
            into.add(chunk);
        }
    }

    /**
     * Gives them back; the list is empty afterwards. A waiter that gives back what it gets before
     * it returns is followed by the next one in the loop and not from inside.
     */
    public void giveBack(List<Chunk> chunks) {
        idle.addAll(chunks);
        chunks.clear();
        if (serving) {
            return;
        }
        serving = true;
        try {
            Waiter first = line.peekFirst();
            while (first != null && isAvailable(first.wanted)) {
                line.removeFirst();
                fill(first.wanted, first.into);
                first.waiter.resume();
                first = line.peekFirst();
            }
        } finally {
            serving = false;
        }
    }

    private record Waiter(int wanted, List<Chunk> into, Steps waiter) {}

    /**
     * Some clusters one after the other, and their compressed form.
     *
     * <p>Threading: confined(loop), but for the work itself.
     */
    public final class Chunk {
        private final ByteBuffer output =
                BufferUtil.allocateDirectAligned((int) chunkBytes(), Long.BYTES);
        private final int[] starts = new int[chunkClusters];
        private final int[] lengths = new int[chunkClusters];
        private final IoVector source = new IoVector();
        private final Runnable work = this::work;
        private final Runnable worked = this::worked;
        private Outcome whenDone = error -> {};
        private int clusters;
        private boolean done;

        /**
         * Begins with {@code lengthBytes} bytes of {@code memory}, which stay as they are until the
         * outcome. The last cluster is filled up with zeros.
         */
        public void start(IoVector memory, long position, long lengthBytes, Outcome outcome) {
            source.clear();
            source.addSlice(memory, position, lengthBytes);
            clusters = (int) ((lengthBytes + (1 << clusterBits) - 1) >>> clusterBits);
            whenDone = outcome;
            workers.execute(work);
        }

        /** Bytes of a cluster's compressed form, or {@link #PLAIN}. */
        public int lengthBytes(int cluster) {
            return lengths[cluster];
        }

        /** Where a cluster's compressed form is. */
        public long address(int cluster) {
            return BufferUtil.address(output) + starts[cluster];
        }

        private void worked() {
            source.clear();
            whenDone.done(done ? BlockError.OK : BlockError.EIO);
        }

        /** On a worker; handing the task over and back orders its accesses. */
        private void work() {
            done = false;
            try {
                Codec codec = workers.take(compressionType);
                output.clear();
                for (int i = 0; i < clusters; i++) {
                    compress(codec, i);
                }
                workers.give(compressionType, codec);
                done = true;
            } finally {
                loop.execute(worked);
            }
        }

        private void compress(Codec codec, int cluster) {
            int size = 1 << clusterBits;
            long from = (long) cluster << clusterBits;
            int length = (int) Math.min(size, source.lengthBytes() - from);
            ByteBuffer plain = codec.scratch(size);
            long address = BufferUtil.address(plain);
            source.copyTo(from, address, length);
            UnsafeApi.setMemory(address + length, size - length, (byte) 0);
            int start = output.position();
            starts[cluster] = start;
            output.limit(start + size - 1);
            int compressed = codec.compress(plain, output);
            lengths[cluster] = compressed == Codec.TOO_LONG ? PLAIN : compressed;
            output.limit(output.capacity())
                    .position(compressed == Codec.TOO_LONG ? start : start + compressed);
        }
    }
}
