package io.quoin.backup.stream;

import io.quoin.backup.BackupEvents;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.disk.Disk;
import io.quoin.qcow2.diff.DiffExtent;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Makes of a disk that is at the older snapshot of a stream one that is at the newer. An earlier
 * try may have come part of the way: what it has written is compared with the stream, and not
 * written again. Waits, and throws {@link BlockException}.
 *
 * <p>Threading: confined to its thread.
 */
public final class DiffApply {
    /** Being written. */
    private static final int DEPTH = 4;

    private static final int PIECE_BYTES = 1 << 20;

    private final Disk target;
    private final @Nullable Disk older;
    private final BackupEvents events;
    private final Deque<CompletableFuture<Void>> writing = new ArrayDeque<>();

    /** What may be no more as at the older snapshot: in the order of the disk. */
    private final List<DiffExtent> changed;

    /** The first of {@link #changed} that may reach behind {@link #passed}. */
    private int next;

    /** Everything before it is as at the newer snapshot. */
    private long passed;

    private long writtenBytes;
    private long keptBytes;

    /**
     * What was done.
     *
     * @param writtenBytes of the disk, zeros too
     * @param keptBytes that were there already, from an earlier try
     */
    public record Result(long writtenBytes, long keptBytes) {}

    /**
     * @param target as large as at the newer snapshot; nothing else writes it
     * @param older the disk at the older snapshot; null: there is none, all is zeros
     * @param changed where the target may differ from it, in order; none on the first try
     */
    public DiffApply(
            Disk target, @Nullable Disk older, List<DiffExtent> changed, BackupEvents events) {
        this.target = target;
        this.older = older;
        this.changed = changed;
        this.events = events;
    }

    /**
     * Applies all of a stream, and makes it durable.
     *
     * @throws BlockException of the reader, with part of it applied; ESTALE if the target was
     *     changed where the stream does not change it
     */
    public Result run(DiffStreamReader stream) {
        long size = stream.header().sizeBytes();
        for (DiffRange range = stream.next(); range != null; range = stream.next()) {
            leave(range.offsetBytes());
            apply(range);
            passed = range.endBytes();
            events.progress(passed, size);
            events.checkpoint();
        }
        leave(size);
        awaitUntil(0);
        target.flush();
        events.progress(size, size);
        return new Result(writtenBytes, keptBytes);
    }

    private void apply(DiffRange range) {
        ByteBuffer data = range.data();
        if (data == null) {
            write(target.zeroAsync(range.offsetBytes(), range.lengthBytes(), IoFlags.MAY_UNMAP));
        } else if (isChanged(range) && isThere(range.offsetBytes(), data)) {
            keptBytes += range.lengthBytes();
            return;
        } else {
            write(target.writeAsync(range.offsetBytes(), data, IoFlags.NONE));
        }
        writtenBytes += range.lengthBytes();
    }

    private void write(CompletableFuture<Void> write) {
        writing.add(write);
        awaitUntil(DEPTH);
    }

    private void awaitUntil(int left) {
        while (writing.size() > left) {
            target.await(writing.remove());
        }
    }

    private boolean isChanged(DiffRange range) {
        for (int i = next; i < changed.size(); i++) {
            DiffExtent extent = changed.get(i);
            if (extent.start() >= range.endBytes()) {
                return false;
            }
            if (extent.start() + extent.length() > range.offsetBytes()) {
                return true;
            }
        }
        return false;
    }

    private boolean isThere(long offsetBytes, ByteBuffer data) {
        ByteBuffer now = ByteBuffer.allocate(data.remaining());
        target.read(offsetBytes, now);
        return now.equals(data);
    }

    /** What the stream passes over is as at the older snapshot. */
    private void leave(long end) {
        while (next < changed.size()) {
            DiffExtent extent = changed.get(next);
            long extentEnd = extent.start() + extent.length();
            long from = Math.max(passed, extent.start());
            long to = Math.min(end, extentEnd);
            if (from < to) {
                leave(from, to);
            }
            if (extentEnd > end) {
                return;
            }
            next++;
        }
    }

    private void leave(long from, long to) {
        if (older == null) {
            write(target.zeroAsync(from, to - from, IoFlags.MAY_UNMAP));
            return;
        }
        for (long at = from; at < to; at += PIECE_BYTES) {
            int length = (int) Math.min(PIECE_BYTES, to - at);
            if (!isThere(at, read(older, at, length))) {
                throw new BlockException(
                        BlockError.ESTALE,
                        "disk was changed since the import began: disk="
                                + target.name()
                                + ", offset="
                                + at
                                + ", length="
                                + length
                                + "; roll it back to "
                                + older.name()
                                + ", then import again");
            }
            events.checkpoint();
        }
    }

    /** Behind its end it is zeros. */
    private static ByteBuffer read(Disk disk, long offsetBytes, int length) {
        ByteBuffer content = ByteBuffer.allocate(length);
        long there = Math.min(length, disk.sizeBytes() - offsetBytes);
        if (there > 0) {
            disk.read(offsetBytes, content.slice(0, (int) there));
        }
        return content;
    }
}
