package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.ring.DiskRing;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An open disk: bytes from 0 to {@link #sizeBytes}, read and written in any order and from any
 * thread.
 *
 * <pre>{@code
 * try (Volume volume = Volumes.open(Path.of("/var/lib/quoin"));
 *         Disk disk = volume.open("vm1")) {
 *     ByteBuffer block = ByteBuffer.allocateDirect(4096);
 *
 *     // Waiting: returns when it is done.
 *     block.put(0, "hello".getBytes(StandardCharsets.UTF_8));
 *     disk.write(8192, block);
 *     disk.flush();
 *
 *     // Not waiting: two reads at once, each into memory of its own.
 *     ByteBuffer other = ByteBuffer.allocateDirect(4096);
 *     CompletableFuture<Void> first = disk.readAsync(8192, block);
 *     CompletableFuture<Void> second = disk.readAsync(1 << 20, other);
 *     CompletableFuture.allOf(first, second).join();
 *
 *     // What is allocated.
 *     for (Extent extent : disk.blockStatus(0, disk.sizeBytes())) {
 *         System.out.println(extent);
 *     }
 * }
 * }</pre>
 *
 * <p><b>Buffers.</b> What lies between a buffer's position and its limit is transferred; neither is
 * moved. Direct buffers go through without a copy; heap buffers are copied through direct memory.
 * The memory belongs to the disk until the future has completed: don't read what is being read
 * into, or change what is being written. It is kept alive until then.
 *
 * <p><b>Order.</b> Requests in flight at the same time are carried out in any order; wait for one
 * before a second that depends on it. {@link #flush} makes durable what was asked for before it.
 *
 * <p><b>Errors.</b> Waiting methods throw {@link BlockException}; futures complete with one. {@link
 * BlockError#EINVAL} is a range outside of the disk, or one that isn't a multiple of {@link
 * Geometry#blockSizeMin}; {@link BlockError#EPERM} a write to a disk that is open for reading;
 * {@link BlockError#ESHUTDOWN} a disk that is closed. After an error the content of the range that
 * was to be written is unknown, sector by sector old or new.
 *
 * <p><b>Threads.</b> Futures complete on the disk's own thread, so what is chained to one without
 * an executor runs there and must not wait: use the {@code Async} methods of {@link
 * CompletableFuture} for anything longer. The waiting methods refuse to be called there with {@link
 * IllegalStateException}. Where many requests are in flight, a call waits until there is room.
 *
 * <p>Threading: thread-safe.
 */
public interface Disk extends AutoCloseable {
    /**
     * A disk over a ring.
     *
     * @param name for messages
     * @param ring in front of the open disk; may be shared
     * @param release lets go of the ring when the disk is closed: everything asked for through this
     *     disk has been answered then
     */
    static Disk over(String name, DiskRing ring, Supplier<CompletionStage<Void>> release) {
        return new RingDisk(null, name, ring, release);
    }

    /** The same, of a disk of a volume. */
    static Disk over(
            Volume volume, String name, DiskRing ring, Supplier<CompletionStage<Void>> release) {
        return new RingDisk(volume, name, ring, release);
    }

    String name();

    /** The volume that it was opened from; null: it was not opened by name. */
    default @Nullable Volume volume() {
        return null;
    }

    Geometry geometry();

    Capabilities capabilities();

    default long sizeBytes() {
        return geometry().sizeBytes();
    }

    /** Fills {@code target} from {@code offsetBytes} on. */
    CompletableFuture<Void> readAsync(long offsetBytes, ByteBuffer target);

    /** Fills {@code lengthBytes} bytes of {@code target} from {@code index} on. */
    CompletableFuture<Void> readAsync(
            long offsetBytes, MutableDirectBuffer target, int index, int lengthBytes);

    /**
     * Stores {@code source} at {@code offsetBytes}.
     *
     * @param flags {@link IoFlags#FUA}, to be durable when it completes, or none
     */
    CompletableFuture<Void> writeAsync(long offsetBytes, ByteBuffer source, int flags);

    /** Stores {@code lengthBytes} bytes of {@code source} from {@code index} on. */
    CompletableFuture<Void> writeAsync(
            long offsetBytes, DirectBuffer source, int index, int lengthBytes, int flags);

    /**
     * Makes a range read as zeros.
     *
     * @param flags {@link IoFlags#FUA}, {@link IoFlags#MAY_UNMAP}, {@link IoFlags#FAST_ZERO} or
     *     none
     */
    CompletableFuture<Void> zeroAsync(long offsetBytes, long lengthBytes, int flags);

    /** Gives the space of a range back; it reads as zeros where that was possible. */
    CompletableFuture<Void> discardAsync(long offsetBytes, long lengthBytes, int flags);

    /** Makes every write durable that was asked for before, by whomever. */
    CompletableFuture<Void> flushAsync();

    /**
     * The extents of a range, from its start and up to its end, neighbours of different status.
     *
     * @see BlockStatus
     */
    CompletableFuture<List<Extent>> blockStatusAsync(long offsetBytes, long lengthBytes);

    /** {@link #readAsync(long, ByteBuffer)}, waiting. */
    default void read(long offsetBytes, ByteBuffer target) {
        await(readAsync(offsetBytes, target));
    }

    /** {@link #readAsync(long, MutableDirectBuffer, int, int)}, waiting. */
    default void read(long offsetBytes, MutableDirectBuffer target, int index, int lengthBytes) {
        await(readAsync(offsetBytes, target, index, lengthBytes));
    }

    /** {@link #writeAsync(long, ByteBuffer, int)}, waiting, without flags. */
    default void write(long offsetBytes, ByteBuffer source) {
        write(offsetBytes, source, IoFlags.NONE);
    }

    /** {@link #writeAsync(long, ByteBuffer, int)}, waiting. */
    default void write(long offsetBytes, ByteBuffer source, int flags) {
        await(writeAsync(offsetBytes, source, flags));
    }

    /** {@link #writeAsync(long, DirectBuffer, int, int, int)}, waiting. */
    default void write(
            long offsetBytes, DirectBuffer source, int index, int lengthBytes, int flags) {
        await(writeAsync(offsetBytes, source, index, lengthBytes, flags));
    }

    /** {@link #zeroAsync}, waiting; space may be given back. */
    default void zero(long offsetBytes, long lengthBytes) {
        await(zeroAsync(offsetBytes, lengthBytes, IoFlags.MAY_UNMAP));
    }

    /** {@link #discardAsync}, waiting. */
    default void discard(long offsetBytes, long lengthBytes) {
        await(discardAsync(offsetBytes, lengthBytes, IoFlags.NONE));
    }

    /** {@link #flushAsync}, waiting. */
    default void flush() {
        await(flushAsync());
    }

    /** {@link #blockStatusAsync}, waiting. */
    default List<Extent> blockStatus(long offsetBytes, long lengthBytes) {
        return await(blockStatusAsync(offsetBytes, lengthBytes));
    }

    /**
     * Waits for a future of this disk: its value, or its failure as a {@link BlockException}.
     *
     * @throws IllegalStateException on the disk's own thread, which would wait for itself
     */
    <T> T await(CompletableFuture<T> future);

    /**
     * Waits for what is in flight, flushes if it can be written to, and lets go of the disk, in
     * every case. Later calls do nothing.
     */
    @Override
    void close();
}
