package io.quoin.backup;

import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Extent;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/** A disk in memory. */
public final class MemoryDisk implements Disk {
    private final String name;
    private final byte[] content;
    private final Runnable beforeRead;
    private int writes;

    /**
     * @param content which is written to
     */
    public MemoryDisk(String name, byte[] content, Runnable beforeRead) {
        this.name = name;
        this.content = content;
        this.beforeRead = beforeRead;
    }

    /** How many writes came, of zeros too. */
    public int writes() {
        return writes;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return content.length;
    }

    @Override
    public Geometry geometry() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Capabilities capabilities() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Void> readAsync(long offsetBytes, ByteBuffer target) {
        beforeRead.run();
        target.put(target.position(), content, (int) offsetBytes, target.remaining());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> readAsync(
            long offsetBytes, MutableDirectBuffer target, int index, int lengthBytes) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Void> writeAsync(long offsetBytes, ByteBuffer source, int flags) {
        writes++;
        source.get(source.position(), content, (int) offsetBytes, source.remaining());
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> writeAsync(
            long offsetBytes, DirectBuffer source, int index, int lengthBytes, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Void> zeroAsync(long offsetBytes, long lengthBytes, int flags) {
        writes++;
        Arrays.fill(content, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<Void> discardAsync(long offsetBytes, long lengthBytes, int flags) {
        throw new UnsupportedOperationException();
    }

    @Override
    public CompletableFuture<Void> flushAsync() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletableFuture<List<Extent>> blockStatusAsync(long offsetBytes, long lengthBytes) {
        return CompletableFuture.completedFuture(
                List.of(new Extent(offsetBytes, lengthBytes, BlockStatus.DATA)));
    }

    @Override
    public <T> T await(CompletableFuture<T> future) {
        return future.join();
    }

    @Override
    public void close() {}
}
