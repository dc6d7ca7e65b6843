package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An open file of a brick. Reads that the page cache answers and buffered writes run on the loop;
 * what may wait for the disk goes to the pool, and fdatasync to the flush pool.
 *
 * <p>The file only ever grows on the loop: by an inline write, or before a task that needs it
 * larger is handed to the pool. So its size is known without a lock, and nothing in the pool can
 * cut off what another request has appended. A resize waits until no change is in flight, and holds
 * new ones back until it is done.
 *
 * <p>Threading: confined(loop).
 */
final class PosixFile implements XlatorFile {
    private static final Logger LOG = LoggerFactory.getLogger(PosixFile.class);

    private static final int BLOCK_PREFERRED_BYTES = 4096;
    private static final int TRANSFER_BYTES_MAX = 64 << 20;

    /**
     * What direct mode keeps apart: no file system in use has larger blocks or pages in a cache.
     */
    private static final long CLAIM_BYTES = 4096;

    /**
     * A write up to this length that has to be durable is synced by itself. The file's other dirty
     * pages, which may be many, are left alone.
     */
    private static final int RANGE_SYNC_BYTES_MAX = 64 << 10;

    private static final int PREFETCHES_MAX = 2;
    private static final int INLINE_NEVER = -1;

    private final String nodeName;
    private final Brick brick;
    private final String fileName;
    private final Descriptor descriptor;
    private final OpenMode mode;
    private final FileListener listener;
    private final Loop loop;
    private final Transfer transfer;
    private final boolean direct;
    private final Capabilities capabilities;
    private final FileQueue queue;
    private final FlushGroup flushGroup;
    private final ReadAhead readAhead;
    private final FileResize resize;
    private final ColdReads coldReads;
    private final RequestList held = new RequestList();

    private Geometry geometry;
    private long sizeBytes;
    private int inlineReadFlags;
    private boolean syncsRanges;
    private int prefetches;
    private @Nullable Runnable whenIdle;
    private @Nullable CompletableFuture<Void> closing;
    private long loggedErrnos;
    private long rangeSyncs;
    private long readsInline;
    private long readsPooled;
    private long readsPastEnd;
    private long prefetchedBytes;

    /**
     * @param nodeName of the brick, for events
     * @param descriptor the file's own from here on
     * @param transfer the loop's own
     */
    PosixFile(
            String nodeName,
            Brick brick,
            String fileName,
            Descriptor descriptor,
            long sizeBytes,
            OpenOptions options,
            Loop loop,
            Transfer transfer) {
        this.nodeName = nodeName;
        this.brick = brick;
        this.fileName = fileName;
        this.descriptor = descriptor;
        this.mode = options.mode();
        this.listener = options.listener();
        this.loop = loop;
        this.transfer = transfer;
        this.sizeBytes = sizeBytes;
        direct = brick.options().directIo();
        FileSystemTraits traits = brick.traits();
        boolean zeroes = traits.canPunchHole() || traits.canZeroRange();
        Capabilities all =
                Capabilities.of(
                                Capability.WRITE,
                                Capability.FUA,
                                Capability.MULTI_CONN,
                                Capability.GROW)
                        .with(Capability.DISCARD, traits.canPunchHole())
                        .with(Capability.FAST_ZERO, zeroes);
        capabilities = mode == OpenMode.READ_WRITE ? all : all.readOnly();
        geometry =
                Geometry.ofSize(sizeBytes)
                        .blockSizes(1, BLOCK_PREFERRED_BYTES)
                        .transferMax(TRANSFER_BYTES_MAX);
        queue = new FileQueue(this, brick.ioPool());
        flushGroup =
                new FlushGroup(
                        fileName,
                        descriptor,
                        loop,
                        brick.flushPool(),
                        brick.dataSync(),
                        this::proceed);
        readAhead =
                new ReadAhead(direct || traits.inMemory() ? 0 : brick.options().readAheadBytes());
        resize = new FileResize(this, brick.ioPool());
        coldReads = brick.options().coldReads();
        syncsRanges = traits.syncsRanges();
        inlineReadFlags =
                direct
                        ? INLINE_NEVER
                        : traits.inMemory()
                                ? 0
                                : traits.canNoWait() ? SystemCalls.RWF_NOWAIT : INLINE_NEVER;
    }

    /** For a system call of a request in flight; one that the kernel refuses once it is closed. */
    int fd() {
        return descriptor.fd();
    }

    Loop loop() {
        return loop;
    }

    boolean isDirect() {
        return direct;
    }

    @Override
    public String fileName() {
        return fileName;
    }

    @Override
    public Geometry geometry() {
        if (geometry.sizeBytes() != sizeBytes) {
            geometry = geometry.withSizeBytes(sizeBytes);
        }
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void submit(IoRequest request) {
        IoOp op = request.op();
        if (op.changesData()) {
            change(request);
        } else if (op == IoOp.READ) {
            read(request);
        } else if (op == IoOp.FLUSH) {
            flushGroup.flush(request);
        } else if (op == IoOp.CACHE && direct) {
            request.complete(BlockError.OK);
        } else {
            queue.submit(queue.acquire().prepare(request, 0));
        }
    }

    private void change(IoRequest request) {
        if (flushGroup.failure() != Errno.NONE) {
            request.complete(BlockError.EIO);
        } else if (request.has(IoFlags.FAST_ZERO) && !capabilities.canFastZero()) {
            request.complete(BlockError.ENOTSUP);
        } else if (resize.isWanted()) {
            held.add(request);
        } else if (request.op() == IoOp.WRITE && !direct) {
            writeInline(request);
        } else {
            queue.submit(claim(queue.acquire().prepare(request, 0)));
        }
    }

    private void read(IoRequest request) {
        int result = Errno.EAGAIN;
        long done = 0;
        if (inlineReadFlags != INLINE_NEVER && !coldReads.next()) {
            result =
                    transfer.read(
                            fd(), request.memory(), request.offsetBytes(), 0, inlineReadFlags);
            done = transfer.doneBytes();
        }
        if (result == Errno.EOPNOTSUPP) {
            inlineReadFlags = INLINE_NEVER; // the probe's file could, this one cannot
            result = Errno.EAGAIN;
        }
        boolean cold = result == Errno.EAGAIN;
        long ahead =
                readAhead.onRead(request.offsetBytes(), request.lengthBytes(), cold, sizeBytes);
        if (cold) {
            readsPooled++;
            queue.submit(queue.acquire().prepare(request, done));
        }
        if (ahead > 0 && prefetches < PREFETCHES_MAX && !queue.isFull()) {
            prefetches++;
            prefetchedBytes += ahead;
            queue.submit(queue.acquire().prefetch(readAhead.fetchOffset(), ahead));
        }
        if (!cold) {
            readsInline++;
            endRead(request, result);
        }
    }

    private void endRead(IoRequest request, int result) {
        if (result == Transfer.END_OF_FILE) {
            readsPastEnd++;
            fail(request, Errno.EIO);
        } else {
            end(request, result);
        }
    }

    private void writeInline(IoRequest request) {
        long offset = request.offsetBytes();
        int result =
                transfer.write(fd(), request.memory(), offset, 0, brick.options().writeBytesMax());
        if (transfer.doneBytes() > 0) {
            sizeBytes = Math.max(sizeBytes, offset + transfer.doneBytes());
        }
        if (result == Errno.NONE && isSyncedAlone(request)) {
            flushGroup.changed();
            flushGroup.rangeSyncStarted();
            rangeSyncs++;
            queue.submit(queue.acquire().prepare(request, 0));
        } else {
            endChange(request, result);
        }
    }

    /** While a fdatasync runs, the next one is shared with what else waits for it. */
    private boolean isSyncedAlone(IoRequest request) {
        return request.has(IoFlags.FUA)
                && syncsRanges
                && request.lengthBytes() <= RANGE_SYNC_BYTES_MAX
                && !flushGroup.isRunning();
    }

    /**
     * Direct mode rewrites whole blocks: says which, and whether they hold anything else's bytes.
     */
    private FileTask claim(FileTask task) {
        if (direct) {
            long start = task.offsetBytes() & -CLAIM_BYTES;
            long end = (task.endBytes() + CLAIM_BYTES - 1) & -CLAIM_BYTES;
            boolean aligned = start == task.offsetBytes() && end == task.endBytes();
            // Rewriting the last block lengthens the file for a moment: nothing may be appended.
            task.claim(start, end > sizeBytes && !aligned ? Long.MAX_VALUE : end, !aligned);
        }
        return task;
    }

    /** The queue is about to hand a task to the pool; returns an error number if it must not. */
    int starting(FileTask task) {
        boolean grows = task.op() == IoOp.WRITE || task.op() == IoOp.WRITE_ZEROES;
        if (grows && task.endBytes() > sizeBytes) {
            int result = SystemCalls.ftruncate(fd(), task.endBytes());
            if (result < 0) {
                return -result;
            }
            sizeBytes = task.endBytes();
            flushGroup.changed();
        }
        task.fileSizeBytes(sizeBytes);
        return Errno.NONE;
    }

    /** The task did not get as far as the pool. */
    void taskRefused(FileTask task, int errno) {
        finish(task, errno);
    }

    /** The task has been performed. */
    void taskEnded(FileTask task) {
        queue.ended(task);
        queue.startWaiting();
        finish(task, task.result());
    }

    /** The file's own state first: a completion may submit more, or close the file. */
    private void finish(FileTask task, int result) {
        IoRequest request = task.request();
        queue.release(task);
        if (request == null) {
            prefetches--;
            proceed();
        } else if (request.op() == IoOp.WRITE && !direct) {
            endRangeSync(request, result);
        } else if (request.op().changesData()) {
            endChange(request, result);
        } else {
            proceed();
            if (request.op() == IoOp.READ) {
                endRead(request, result);
            } else {
                end(request, result);
            }
        }
    }

    /** Starts what waits for the file to be quiet, if it is. */
    private void proceed() {
        resize.startIfWanted(queue.changesCount());
        Runnable next = whenIdle;
        if (next != null && isIdle()) {
            whenIdle = null;
            next.run();
        }
    }

    /** Whether the pools have nothing that uses the descriptor. */
    private boolean isIdle() {
        return queue.isIdle() && !flushGroup.isRunning() && !resize.isRunning();
    }

    /** Even a change that failed may have been made in part, and wants to be flushed. */
    private void endChange(IoRequest request, int result) {
        flushGroup.changed();
        boolean flushes = result == Errno.NONE && request.has(IoFlags.FUA);
        boolean waits = flushes && flushGroup.waits(request);
        proceed();
        if (flushes && !waits) {
            request.complete(flushGroup.outcome());
        } else if (!waits) {
            end(request, result);
        }
    }

    /**
     * The range was written on the loop and has been synced in the pool. A failure is as final as
     * one of fdatasync: it may stand for other pages too, and is not reported again.
     */
    private void endRangeSync(IoRequest request, int result) {
        boolean unsupported = Errno.isUnsupported(result);
        flushGroup.rangeSyncEnded(unsupported ? Errno.NONE : result);
        if (unsupported) {
            syncsRanges = false;
        }
        boolean waits = unsupported && flushGroup.waits(request);
        proceed();
        if (!waits) {
            request.complete(flushGroup.outcome());
        }
        flushGroup.tellFinished();
    }

    private void end(IoRequest request, int result) {
        if (result == Errno.NONE) {
            request.complete(BlockError.OK);
        } else {
            fail(request, result);
        }
    }

    /** The first of each kind is logged: the data path itself only counts and completes. */
    private void fail(IoRequest request, int errno) {
        long bit = 1L << (errno & 63);
        if ((loggedErrnos & bit) == 0) {
            loggedErrnos |= bit;
            LOG.warn(
                    "request failed: file={}, request={}, errno={}",
                    fileName,
                    request,
                    Errno.name(errno));
            if (Errno.requestError(errno) == BlockError.ENOSPC) {
                FileEvent full =
                        new FileEvent(
                                FileEvent.Kind.SPACE_LOW,
                                nodeName,
                                "file=" + fileName + ", errno=" + Errno.name(errno));
                loop.execute(() -> listener.onEvent(full));
            }
        }
        // A change of a file that is open for reading alone ends in EBADF too.
        boolean isUnknown = mode == OpenMode.READ_WRITE || !request.op().changesData();
        if (errno == Errno.EBADF && isUnknown) {
            descriptor.distrustIfOpen();
        }
        request.complete(Errno.requestError(errno));
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        if (mode == OpenMode.READ_ONLY) {
            return failed(BlockError.EPERM, "is open read-only");
        }
        if (newSizeBytes < 0) {
            return failed(BlockError.EINVAL, "cannot have sizeBytes=" + newSizeBytes);
        }
        if (flushGroup.failure() != Errno.NONE) {
            return failed(BlockError.EIO, "takes no more changes after a failed flush");
        }
        if (resize.isWanted()) {
            return failed(BlockError.EBUSY, "is being resized");
        }
        CompletableFuture<Void> done = resize.want(newSizeBytes);
        resize.startIfWanted(queue.changesCount());
        return done;
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return newSizeBytes > sizeBytes
                ? failed(BlockError.EINVAL, "is smaller than sizeBytes=" + newSizeBytes)
                : resize(newSizeBytes);
    }

    /**
     * The resize has ended, with the negative error number of what failed. Goes on with what it has
     * kept waiting.
     */
    void resized(long newSizeBytes, int truncated, int synced) {
        if (truncated == 0) {
            sizeBytes = newSizeBytes;
        }
        if (synced < 0) {
            flushGroup.fail("fsync", -synced);
        }
        RequestList waiting = new RequestList();
        waiting.addAll(held);
        for (IoRequest request = waiting.poll(); request != null; request = waiting.poll()) {
            submit(request);
        }
        proceed();
    }

    private CompletableFuture<Void> failed(BlockError error, String what) {
        return CompletableFuture.failedFuture(
                new BlockException(error, "file " + what + ": file=" + fileName));
    }

    @Override
    public Map<String, Object> details() {
        FileStatus status = new FileStatus();
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("type", PosixType.TYPE);
        details.put("file-system", brick.traits().type());
        if (status.ofOpenFile(fd()) == 0) {
            details.put("allocated-bytes", status.allocatedBytes());
        }
        details.put("direct-io", direct);
        details.put("read-only", mode == OpenMode.READ_ONLY);
        details.put("failed", flushGroup.failure() != Errno.NONE);
        details.put("reads-inline", readsInline);
        details.put("reads-pooled", readsPooled);
        details.put("reads-past-end", readsPastEnd);
        details.put("prefetched-bytes", prefetchedBytes);
        details.put("flushes", flushGroup.flushes());
        details.put("fdatasync-calls", flushGroup.calls());
        details.put("range-syncs", rangeSyncs);
        return details;
    }

    /** Closing again gives the end of the first. */
    @Override
    public CompletionStage<Void> close() {
        CompletableFuture<Void> first = closing;
        if (first != null) {
            return first;
        }
        CompletableFuture<Void> closed = new CompletableFuture<>();
        closing = closed;
        IoRequest flush = loop.requests().acquire().flush();
        flush.push(
                (request, error) -> {
                    loop.requests().release(request);
                    whenIdle = () -> brick.blocking().execute(() -> closeDescriptor(closed));
                    proceed();
                });
        if (mode == OpenMode.READ_ONLY) {
            flush.complete(BlockError.OK);
        } else {
            flushGroup.flush(flush);
        }
        return closed;
    }

    private void closeDescriptor(CompletableFuture<Void> closed) {
        int result = descriptor.tryClose();
        brick.names().release(fileName, mode);
        loop.execute(
                () -> {
                    int errno = flushGroup.failure() != Errno.NONE ? flushGroup.failure() : -result;
                    if (errno == Errno.NONE) {
                        closed.complete(null);
                    } else {
                        closed.completeExceptionally(
                                new BlockException(
                                        BlockError.EIO,
                                        "file was closed, what was written to it may be lost: file="
                                                + fileName
                                                + ", errno="
                                                + Errno.name(errno)));
                    }
                });
    }
}
