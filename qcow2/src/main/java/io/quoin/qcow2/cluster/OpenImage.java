package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.compress.ClusterCompressor;
import io.quoin.qcow2.compress.ClusterReader;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.compress.StreamPacker;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.refcount.ExcessReferences;
import io.quoin.qcow2.refcount.LeakReclaim;
import io.quoin.qcow2.refcount.Refcounts;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * The parts of an open image, and where guest requests come in.
 *
 * <p>Threading: confined(loop).
 */
public final class OpenImage {
    final ImageIo io;
    final ImageHealth health;
    final HeaderStore header;
    final MetadataMap map;
    final MappingTables tables;
    final MappingFlusher flusher;
    final Refcounts refcounts;
    final @Nullable XlatorFile backing;
    final EntryForm form;

    /** The file that has the guest's data: the image's own, or an external one. */
    final XlatorFile data;

    /** Whether the data file alone must read as the guest does. */
    final boolean isRaw;

    final int version;
    final int clusterBits;
    final int clusterSizeBytes;
    final int transferBytesMax;
    final RangeLocks locks = new RangeLocks();
    final ChangesUnderWay changes;
    final MappedRun run;
    final CowBuffers cowBuffers;
    final ClusterReader compressed;
    final ClusterCompressor compressor;
    final StreamPacker packer;
    final IoRequestPool pool;
    private final IoCompletion whenChildDone = this::onChildDone;
    private final IoCompletion whenPunched = this::onPunched;
    private final IoCompletion whenBackingRead = this::onBackingRead;

    private final ArrayDeque<ReadOp> idleReads = new ArrayDeque<>();
    private final ArrayDeque<StatusOp> idleStatuses = new ArrayDeque<>();
    private final ArrayDeque<ChangeOp> idleChanges = new ArrayDeque<>();
    private final ArrayDeque<CompressedWrite> idleCompressed = new ArrayDeque<>();
    private final WriteGate gate;
    private final ImageBitmaps bitmaps;
    private final LeakReclaim reclaim;
    private final Runnable giveTablesBack;
    private @Nullable ZeroDetection zeroDetection;
    private boolean otherBackingExpected;
    private boolean zerosAllocated;
    private long sizeBytes;

    public OpenImage(ImageParts parts) {
        Qcow2Header qcow2Header = parts.header().header();
        this.io = parts.io();
        this.health = io.health();
        this.header = parts.header();
        this.map = io.map();
        this.tables = parts.tables();
        this.flusher = parts.flusher();
        this.refcounts = parts.refcounts();
        this.gate = parts.gate();
        this.bitmaps = parts.bitmaps();
        this.giveTablesBack = parts.giveTablesBack();
        CompressionWorkers workers = parts.workers();
        this.reclaim = new LeakReclaim(io, header, tables, refcounts, gate::pass);
        this.backing = parts.backing();
        this.form = new EntryForm(qcow2Header);
        this.data = io.data();
        this.isRaw = qcow2Header.isRawExternalData();
        this.version = qcow2Header.version();
        this.clusterBits = qcow2Header.clusterBits();
        this.clusterSizeBytes = qcow2Header.clusterSizeBytes();
        this.transferBytesMax = transferBytesMax(io, backing);
        this.sizeBytes = qcow2Header.sizeBytes();
        this.changes = new ChangesUnderWay(io.loop());
        this.run = new MappedRun(io, tables, form, version);
        this.cowBuffers = parts.cowBuffers();
        this.compressed = new ClusterReader(io, qcow2Header, workers);
        this.compressor = new ClusterCompressor(io.loop(), qcow2Header, workers);
        this.packer =
                new StreamPacker(
                        refcounts, clusterBits, io.file().geometry().blockSizeMin(), flusher::drop);
        this.pool = io.loop().requests();
    }

    /** The largest child request. */
    private static int transferBytesMax(ImageIo io, @Nullable XlatorFile backing) {
        int own =
                Math.min(
                        io.file().geometry().transferBytesMax(),
                        io.data().geometry().transferBytesMax());
        return backing == null ? own : Math.min(own, backing.geometry().transferBytesMax());
    }

    /** Makes zeroing of writes of zeros, from now on; {@code unmaps}: giving clusters back. */
    public void detectZeroes(boolean unmaps) {
        zeroDetection = new ZeroDetection(this, unmaps);
    }

    /** The virtual size. */
    public long sizeBytes() {
        return sizeBytes;
    }

    void sizeBytes(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    /** Starts a request of a guest. */
    public void submit(IoRequest request) {
        switch (request.op()) {
            case READ, CACHE -> {
                ReadOp idle = idleReads.pollLast();
                (idle == null ? new ReadOp(this) : idle).start(request);
            }
            case WRITE, WRITE_ZEROES, DISCARD -> change(request);
            case FLUSH -> flush(request);
            case BLOCK_STATUS -> {
                StatusOp idle = idleStatuses.pollLast();
                (idle == null ? new StatusOp(this) : idle).start(request);
            }
        }
    }

    /** Whether the image can become so large. */
    public boolean canGrowTo(long newSizeBytes) {
        return GrowOp.isPossible(this, newSizeBytes);
    }

    /** Tells {@code outcome} OK once the image may be changed. */
    public void whenChangeable(Outcome outcome) {
        gate.pass(outcome);
    }

    /** The end of each resize: the size field, durably, and what is served. */
    void changeSize(long newSizeBytes, Outcome outcome) {
        header.setSize(
                newSizeBytes,
                error -> {
                    if (error.isOk()) {
                        sizeBytes(newSizeBytes);
                    }
                    outcome.done(error);
                });
    }

    /** Makes the image larger; durable with the outcome. One at a time. */
    public void grow(long newSizeBytes, Outcome outcome) {
        GrowOp grow = new GrowOp(this, newSizeBytes, outcome);
        whenChangeable(grow::takeTurn, outcome);
    }

    /** Makes the image smaller; durable with the outcome. One at a time. */
    public void shrink(long newSizeBytes, Outcome outcome) {
        ShrinkOp shrink = new ShrinkOp(this, newSizeBytes, outcome);
        whenChangeable(shrink::begin, outcome);
    }

    private void whenChangeable(Runnable begin, Outcome outcome) {
        gate.pass(
                error -> {
                    if (error.isOk()) {
                        begin.run();
                    } else {
                        outcome.done(error);
                    }
                });
    }

    /**
     * Has the metadata on disk kept as they are at one moment soon, at which they are consistent,
     * until {@link #thaw}; requests go on. One at a time.
     */
    public void freeze(FreezeListener listener) {
        new Freeze(this, bitmaps, listener).begin();
    }

    /** Ends what {@link #freeze} began. */
    public void thaw() {
        io.thaw();
        refcounts.releaseMetadata();
    }

    /** Flushes, gives reserved clusters back; the child file is left open. */
    public void close(Outcome ended) {
        Outcome outcome =
                error -> {
                    releaseMemory();
                    ended.done(error);
                };
        if (health.refusal() == BlockError.EPERM) {
            flusher.stop();
            outcome.done(BlockError.OK);
            return;
        }
        packer.leave();
        reclaim.stop();
        flusher.stop();
        // Also of an image that refuses writes: tasks of it may still be under way.
        flusher.flush(
                flushed -> {
                    flusher.stop();
                    if (flushed.isOk() && bitmaps.needsStore()) {
                        storeBitmaps(stored -> closeRefcounts(stored, outcome));
                    } else {
                        closeRefcounts(flushed, outcome);
                    }
                });
    }

    /** Gives memory back that is shared with other images: nothing of this one is under way. */
    public void releaseMemory() {
        tables.close();
        refcounts.release();
        giveTablesBack.run();
    }

    private void storeBitmaps(Outcome outcome) {
        whenChangeable(() -> bitmaps.store(outcome), outcome);
    }

    private void closeRefcounts(BlockError before, Outcome outcome) {
        refcounts.close(
                before.isOk(),
                closed -> {
                    BlockError error = before.isOk() ? closed : before;
                    if (error.isOk()) {
                        reclaim.closed(marked -> io.whenIdle(() -> outcome.done(marked)));
                    } else {
                        io.whenIdle(() -> outcome.done(error));
                    }
                });
    }

    /** What gives clusters back that leaked when the last writer was killed. */
    public LeakReclaim reclaim() {
        return reclaim;
    }

    /** Takes counts down that are too high; durable with the outcome. */
    public void lower(ExcessReferences excess, Outcome outcome) {
        whenChangeable(() -> refcounts.lower(excess, outcome), outcome);
    }

    /** The header as it is now. */
    public Qcow2Header currentHeader() {
        return header.header();
    }

    public Loop loop() {
        return io.loop();
    }

    public ImageHealth health() {
        return health;
    }

    private void flush(IoRequest request) {
        if (health.refusal() == BlockError.EPERM) {
            // Opened read-only: nothing was written.
            request.complete(BlockError.OK);
        } else {
            flusher.flush(request);
        }
    }

    private void change(IoRequest request) {
        if (!health.isWritable()) {
            request.complete(health.refusal());
        } else if (gate.isOpen()) {
            recordAndStart(request);
        } else {
            gate.pass(
                    error -> {
                        if (error.isOk()) {
                            recordAndStart(request);
                        } else {
                            request.complete(error);
                        }
                    });
        }
    }

    /** The mark comes first: a change that fails half-way has a mark too. */
    private void recordAndStart(IoRequest request) {
        if (bitmaps.isRecording()) {
            bitmaps.record(request.offsetBytes(), request.endBytes());
        }
        ZeroDetection detection = zeroDetection;
        if (detection != null && request.op() == IoOp.WRITE && !request.has(IoFlags.COMPRESSED)) {
            detection.start(request);
        } else {
            startChange(request);
        }
    }

    void startChange(IoRequest request) {
        GuestOp op;
        if (request.has(IoFlags.COMPRESSED)) {
            CompressedWrite idle = idleCompressed.pollLast();
            op = idle == null ? new CompressedWrite(this) : idle;
        } else {
            ChangeOp idle = idleChanges.pollLast();
            op = idle == null ? new ChangeOp(this) : idle;
        }
        op.countedAs = changes.begin();
        op.start(request);
    }

    void release(ReadOp op) {
        idleReads.addLast(op);
    }

    void release(StatusOp op) {
        idleStatuses.addLast(op);
    }

    void release(ChangeOp op) {
        idleChanges.addLast(op);
        changes.end(op.countedAs);
    }

    void release(CompressedWrite op) {
        idleCompressed.addLast(op);
        changes.end(op.countedAs);
    }

    /** Whether an unallocated cluster at {@code guestOffset} reads as zeros. */
    boolean isBehindBacking(long guestOffset) {
        XlatorFile file = backing;
        return file == null || guestOffset >= file.geometry().sizeBytes();
    }

    /** Whether zeros need nothing of the image's own where nothing is allocated. */
    boolean isZeroUnallocated(long guestOffset) {
        return !otherBackingExpected && isBehindBacking(guestOffset);
    }

    /** Version 2 has no zero flag: above a backing file zeros have to be written. */
    boolean needsZeroData() {
        return version < 3 && (backing != null || otherBackingExpected);
    }

    /** Zeros are stored also where nothing lies behind: something else will, once it is closed. */
    public void expectOtherBacking() {
        otherBackingExpected = true;
    }

    /** Whether WRITE_ZEROES gives every cluster a place, and makes its zeros there. */
    boolean areZerosAllocated() {
        return zerosAllocated;
    }

    /** Zeros are allocated: they keep the places of the data that will come. */
    public void allocateZeros() {
        zerosAllocated = true;
    }

    /** Bytes of the backing file from {@code guestOffset} on, up to {@code lengthBytes}. */
    long backedBytes(long guestOffset, long lengthBytes) {
        XlatorFile file = backing;
        return file == null
                ? 0
                : Math.max(0, Math.min(lengthBytes, file.geometry().sizeBytes() - guestOffset));
    }

    /** A child request of {@code op}; memory is the caller's to add before {@link #send}. */
    IoRequest child(GuestOp op, IoOp kind, long offset, long lengthBytes) {
        return child(op, kind, offset, lengthBytes, IoFlags.NONE);
    }

    IoRequest child(GuestOp op, IoOp kind, long offset, long lengthBytes, int flags) {
        IoRequest request = pool.acquire().prepare(kind, offset, lengthBytes, flags);
        request.attachment(op);
        return request;
    }

    void send(GuestOp op, XlatorFile file, IoRequest request) {
        op.pending++;
        request.push(whenChildDone);
        file.submit(request);
    }

    /**
     * Makes an external data file as long as the image is going to be. What a raw one has behind
     * the old end becomes visible and must read as zeros.
     */
    void growData(long newSizeBytes, Outcome outcome) {
        long behind = Math.min(newSizeBytes, io.dataSizeBytes()) - sizeBytes;
        if (isRaw && behind > 0) {
            io.zeroData(
                    sizeBytes,
                    behind,
                    error -> {
                        if (error.isOk()) {
                            lengthenData(newSizeBytes, outcome);
                        } else {
                            outcome.done(error);
                        }
                    });
        } else {
            lengthenData(newSizeBytes, outcome);
        }
    }

    private void lengthenData(long newSizeBytes, Outcome outcome) {
        if (form.external && !io.dataReaches(newSizeBytes)) {
            io.resizeData(newSizeBytes, outcome);
        } else {
            outcome.done(BlockError.OK);
        }
    }

    /** Cuts an external data file off behind the new end, where the volume can do that. */
    void shortenData(long newSizeBytes, Outcome outcome) {
        if (form.external && io.dataSizeBytes() > newSizeBytes) {
            io.shortenData(
                    newSizeBytes,
                    error -> outcome.done(error == BlockError.ENOTSUP ? BlockError.OK : error));
        } else {
            outcome.done(BlockError.OK);
        }
    }

    /**
     * Gives a range of an external data file back, which costs room and nothing else if it fails.
     */
    void punchData(GuestOp op, long offset, long lengthBytes) {
        long present = Math.min(lengthBytes, io.dataSizeBytes() - offset);
        if (present > 0 && data.capabilities().canDiscard()) {
            IoRequest request = child(op, IoOp.DISCARD, offset, present);
            op.pending++;
            request.push(whenPunched);
            data.submit(request);
        }
    }

    private void onPunched(IoRequest request, BlockError error) {
        onChildDone(request, BlockError.OK);
    }

    /** Starts a change of the guest's data as a part of {@code op}, which holds no lock. */
    void sendChange(GuestOp op, IoRequest request) {
        op.pending++;
        request.push(whenChildDone);
        startChange(request);
    }

    private void onChildDone(IoRequest request, BlockError error) {
        GuestOp op = (GuestOp) request.attachment();
        pool.release(request);
        if (op != null) {
            op.childDone(error);
        }
    }

    /**
     * Whether {@code count} host clusters may be written with guest data; if they hold metadata the
     * image is corrupt. An external data file has none.
     */
    boolean isDataArea(long clusterIndex, long count) {
        return form.external || isUnclaimed(clusterIndex, count);
    }

    /** Whether no metadata are in these clusters of the image's own file; else it is corrupt. */
    boolean isUnclaimed(long clusterIndex, long count) {
        if (map.containsAny(clusterIndex, count)) {
            health.corrupt("data cluster overlaps metadata", clusterIndex << clusterBits, count);
            return false;
        }
        return true;
    }

    /** As {@link #isDataArea} for the host clusters that a compressed cluster touches. */
    boolean isCompressedDataArea(long descriptor) {
        long first = firstCompressedCluster(descriptor);
        return isDataArea(first, lastCompressedCluster(descriptor) - first + 1);
    }

    /**
     * An entry in memory has ceased to be {@code descriptor}: each host cluster that it touched
     * loses a reference.
     */
    void dropCompressed(long descriptor) {
        compressed.forget(descriptor);
        dropHost(
                L2Entry.compressedHostOffset(descriptor, clusterBits),
                L2Entry.compressedLengthBytes(descriptor, clusterBits));
    }

    /** Each host cluster that the range touches loses a reference. */
    void dropHost(long hostOffset, int lengthBytes) {
        long last = (hostOffset + lengthBytes - 1) >>> clusterBits;
        for (long cluster = hostOffset >>> clusterBits; cluster <= last; cluster++) {
            flusher.drop(cluster);
        }
    }

    private long firstCompressedCluster(long descriptor) {
        return L2Entry.compressedHostOffset(descriptor, clusterBits) >>> clusterBits;
    }

    private long lastCompressedCluster(long descriptor) {
        long end =
                L2Entry.compressedHostOffset(descriptor, clusterBits)
                        + L2Entry.compressedLengthBytes(descriptor, clusterBits);
        return (end - 1) >>> clusterBits;
    }

    /** Reads from the backing file; zeros behind its end. */
    void readBacking(long guestOffset, long address, int lengthBytes, Outcome outcome) {
        int backed = (int) backedBytes(guestOffset, lengthBytes);
        XlatorFile file = backing;
        if (backed < lengthBytes) {
            UnsafeApi.setMemory(address + backed, lengthBytes - backed, (byte) 0);
        }
        if (backed == 0 || file == null) {
            outcome.done(BlockError.OK);
            return;
        }
        IoRequest request = pool.acquire().read(guestOffset, backed, IoFlags.NONE);
        request.memory().add(address, backed);
        request.attachment(outcome);
        request.push(whenBackingRead);
        file.submit(request);
    }

    private void onBackingRead(IoRequest request, BlockError error) {
        Outcome outcome = (Outcome) request.attachment();
        pool.release(request);
        if (outcome != null) {
            outcome.done(error);
        }
    }
}
