package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Turns;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.refcount.CountMoment;
import io.quoin.qcow2.refcount.CountTurns;
import io.quoin.qcow2.refcount.ExcessReferences;
import io.quoin.qcow2.refcount.LeakReclaim;
import io.quoin.qcow2.walk.WalkPace;
import io.quoin.xlator.loop.Loop;
import java.util.function.Consumer;

/**
 * An open image: its requests, its resizes, and its end.
 *
 * <p>Threading: confined(loop).
 */
public final class OpenImage {
    private final MappedImage image;
    private final GuestRequests requests;
    private final WriteGate gate;
    private final ImageBitmaps bitmaps;
    private final LeakReclaim reclaim;
    private final Turns turns = new Turns();
    private final Runnable giveTablesBack;
    private final CountTurns countTurns = new CountTurns();
    private boolean flattening;

    public OpenImage(ImageParts parts) {
        this.image = new MappedImage(parts);
        this.gate = parts.gate();
        this.bitmaps = parts.bitmaps();
        this.requests = new GuestRequests(image, gate, bitmaps);
        this.reclaim =
                new LeakReclaim(
                        new LeakReclaim.Parts(
                                image.io,
                                image.header,
                                image.tables,
                                image.flusher,
                                image.refcounts,
                                gate::pass,
                                requests.pace(),
                                this::findStillMoment,
                                countTurns));
        this.giveTablesBack = parts.giveTablesBack();
    }

    /** Makes zeroing of writes of zeros, from now on; {@code unmaps}: giving clusters back. */
    public void detectZeroes(boolean unmaps) {
        requests.detectZeroes(unmaps);
    }

    /** Zeros are stored also where nothing lies behind: something else will, once it is closed. */
    public void expectOtherBacking() {
        image.disk.expectOtherBacking();
    }

    /** Zeros are allocated: they keep the places of the data that will come. */
    public void allocateZeros() {
        image.disk.allocateZeros();
    }

    /** The virtual size. */
    public long sizeBytes() {
        return image.disk.sizeBytes();
    }

    /** Starts a request of a guest. */
    public void submit(IoRequest request) {
        requests.submit(request);
    }

    /** Whether the image can become so large. */
    public boolean canGrowTo(long newSizeBytes) {
        return GrowOp.isPossible(image, newSizeBytes);
    }

    /** Tells {@code outcome} OK once the image may be changed. */
    public void whenChangeable(Outcome outcome) {
        gate.pass(outcome);
    }

    /** Makes the image larger; durable with the outcome. One at a time. */
    public void grow(long newSizeBytes, Outcome outcome) {
        GrowOp grow = new GrowOp(image, requests::startChange, newSizeBytes, outcome);
        gate.pass(outcome.ifOk(grow::takeTurn));
    }

    /**
     * Makes the image smaller; durable with the outcome. One at a time. It begins when the changes
     * under way have ended: one that has let go of its range half-way would take the next part
     * behind the barrier, in tables that are gone by then.
     */
    public void shrink(long newSizeBytes, Outcome outcome) {
        ShrinkOp shrink = new ShrinkOp(image, requests::startChange, newSizeBytes, outcome);
        gate.pass(outcome.ifOk(() -> requests.whenChangesEnded(shrink::takeTurn)));
    }

    /**
     * Has the metadata on disk kept as they are at one moment soon, at which they are consistent,
     * until {@link #thaw}; requests go on. One at a time.
     */
    public void freeze(FreezeListener listener) {
        new Freeze(image, requests::startChange, bitmaps, listener).begin();
    }

    private void findStillMoment(CountMoment.Found found, Outcome failed) {
        new StillMoment(image, requests::startChange, found, failed).begin();
    }

    /** Of what compares counts with references, one runs at a time. */
    public CountTurns countTurns() {
        return countTurns;
    }

    /**
     * Has a moment for a snapshot, after which the flusher puts drops off. One at a time. What was
     * made durable just before keeps guests waiting no longer.
     *
     * @return ends it soon without a moment (EBUSY), unless that has been; guests go on at once
     */
    public Runnable cut(CutListener listener) {
        CutOp cut = new CutOp(image, requests::startChange, listener);
        cut.takeTurn();
        return cut::cancel;
    }

    /**
     * Tells {@code held} when no request is under way; others wait until it runs what it is given.
     */
    public void hold(Consumer<Runnable> held) {
        new HoldOp(image, requests::startChange, held).takeTurn();
    }

    /** What copies the content of the backing file into the image. */
    public BackingCopy backingCopy() {
        return new BackingCopy(image, requests);
    }

    /** That of work on tables beside the guests. */
    public WalkPace pace() {
        return requests.pace();
    }

    /** Whether the image is being flattened: then it takes no snapshot. */
    public boolean isFlattening() {
        return flattening;
    }

    public void flattening(boolean begins) {
        flattening = begins;
    }

    /** What of checks, resizes and changes of snapshots is done one after the other. */
    public Turns turns() {
        return turns;
    }

    /** Ends what {@link #freeze} began. */
    public void thaw() {
        image.io.thaw();
        image.refcounts.releaseMetadata();
    }

    /** Flushes, gives reserved clusters back; the child file is left open. */
    public void close(Outcome ended) {
        Outcome outcome =
                error -> {
                    releaseMemory();
                    // What it had was durable before another disk took its place.
                    ended.done(image.health.isRetired() ? BlockError.OK : error);
                };
        if (image.health.refusal() == BlockError.EPERM) {
            image.flusher.stop();
            outcome.done(BlockError.OK);
            return;
        }
        image.packer.leave();
        reclaim.stop();
        image.flusher.stop();
        gate.whenSettled(() -> flushToClose(outcome));
    }

    private void flushToClose(Outcome outcome) {
        // Also of an image that refuses writes: tasks of it may still be under way.
        image.flusher.flush(
                flushed -> {
                    image.flusher.stop();
                    if (flushed.isOk() && bitmaps.needsStore()) {
                        storeBitmaps(stored -> closeRefcounts(stored, outcome));
                    } else {
                        closeRefcounts(flushed, outcome);
                    }
                });
    }

    /** Gives memory back that is shared with other images: nothing of this one is under way. */
    public void releaseMemory() {
        image.tables.close();
        image.refcounts.release();
        giveTablesBack.run();
    }

    private void storeBitmaps(Outcome outcome) {
        gate.pass(outcome.ifOk(() -> bitmaps.store(outcome)));
    }

    private void closeRefcounts(BlockError before, Outcome outcome) {
        Outcome last = error -> image.io.whenIdle(() -> outcome.done(error));
        Outcome counted = last.ifOk(() -> reclaim.closed(last));
        image.refcounts.close(
                before.isOk(), closed -> counted.done(before.isOk() ? closed : before));
    }

    /** What gives clusters back that leaked when the last writer was killed. */
    public LeakReclaim reclaim() {
        return reclaim;
    }

    /** Takes counts down that are too high; durable with the outcome. */
    public void lower(ExcessReferences excess, Outcome outcome) {
        gate.pass(outcome.ifOk(() -> image.refcounts.lower(excess, outcome)));
    }

    /** The header as it is now. */
    public Qcow2Header currentHeader() {
        return image.header.header();
    }

    public Loop loop() {
        return image.io.loop();
    }

    public ImageHealth health() {
        return image.health;
    }
}
