package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Extent;
import io.quoin.block.disk.Volume;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A user's hold on a disk that others may write to and this one may not.
 *
 * <p>Threading: thread-safe.
 */
final class ReadOnlyDisk implements Disk {
    private final Disk disk;

    ReadOnlyDisk(Disk disk) {
        this.disk = disk;
    }

    @Override
    public String name() {
        return disk.name();
    }

    @Override
    public @Nullable Volume volume() {
        return disk.volume();
    }

    @Override
    public Geometry geometry() {
        return disk.geometry();
    }

    @Override
    public Capabilities capabilities() {
        return disk.capabilities().readOnly();
    }

    @Override
    public CompletableFuture<Void> readAsync(long offsetBytes, ByteBuffer target) {
        return disk.readAsync(offsetBytes, target);
    }

    @Override
    public CompletableFuture<Void> readAsync(
            long offsetBytes, MutableDirectBuffer target, int index, int lengthBytes) {
        return disk.readAsync(offsetBytes, target, index, lengthBytes);
    }

    @Override
    public CompletableFuture<Void> writeAsync(long offsetBytes, ByteBuffer source, int flags) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> writeAsync(
            long offsetBytes, DirectBuffer source, int index, int lengthBytes, int flags) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> zeroAsync(long offsetBytes, long lengthBytes, int flags) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> discardAsync(long offsetBytes, long lengthBytes, int flags) {
        return refused();
    }

    @Override
    public CompletableFuture<Void> flushAsync() {
        return disk.flushAsync();
    }

    @Override
    public CompletableFuture<List<Extent>> blockStatusAsync(long offsetBytes, long lengthBytes) {
        return disk.blockStatusAsync(offsetBytes, lengthBytes);
    }

    @Override
    public <T> T await(CompletableFuture<T> future) {
        return disk.await(future);
    }

    @Override
    public void close() {
        disk.close();
    }

    private CompletableFuture<Void> refused() {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.EPERM, "disk is open for reading only: name=" + name()));
    }
}
