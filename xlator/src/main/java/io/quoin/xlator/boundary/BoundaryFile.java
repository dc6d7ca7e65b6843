package io.quoin.xlator.boundary;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checked boundary of an open file. What comes down is legal for the file below: range, unit,
 * flags, capabilities, memory, lifecycle; anything else ends here with EINVAL, EPERM, ENOTSUP,
 * ENOSPC (a write past the end of a device that does not grow) or ESHUTDOWN, and a request of no
 * length is done. What comes up comes once and on the owner loop. A close waits for what is in
 * flight; from then on, and after an abort, everything new is refused.
 *
 * <p>An error of a program (a wrong thread, a second completion, an answer that cannot be) is an
 * {@link AssertionError} for its caller, and fences the file: nothing is written or flushed any
 * more, both end in EIO.
 *
 * <p>With {@link Invariant#COSTLY} each request goes down as a twin of its own, so that a layer
 * that completes twice is caught in the act, and answers are checked in full.
 *
 * <p>Threading: confined(loop).
 */
public final class BoundaryFile implements XlatorFile {
    private static final Logger LOG = LoggerFactory.getLogger(BoundaryFile.class);

    private final XlatorFile below;
    private final Loop loop;
    private final String nodeName;
    private final FileListener listener;
    private final Runnable whenClosed;
    private final IoCompletion whenDone = this::onComplete;
    private final boolean costly;
    private RequestRules rules;
    private int inFlight;
    private long refusedCount;
    private long announcedSizeBytes;
    private BlockError refusal = BlockError.OK;
    private boolean closed;
    private @Nullable CompletableFuture<Void> closing;
    // written by whichever thread breaks a rule
    private volatile boolean fenced;

    BoundaryFile(
            XlatorFile below,
            Loop loop,
            String nodeName,
            FileListener listener,
            Runnable whenClosed) {
        this(below, loop, nodeName, listener, whenClosed, Invariant.COSTLY);
    }

    BoundaryFile(
            XlatorFile below,
            Loop loop,
            String nodeName,
            FileListener listener,
            Runnable whenClosed,
            boolean costly) {
        this.below = below;
        this.loop = loop;
        this.nodeName = nodeName;
        this.rules = new RequestRules(below);
        this.announcedSizeBytes = below.geometry().sizeBytes();
        this.listener = listener;
        this.whenClosed = whenClosed;
        this.costly = costly;
    }

    @Override
    public String fileName() {
        return below.fileName();
    }

    @Override
    public Geometry geometry() {
        return below.geometry();
    }

    @Override
    public Capabilities capabilities() {
        return rules.capabilities();
    }

    /** Requests that have been refused here. */
    public long refusedCount() {
        return refusedCount;
    }

    /** Requests that the file below has not completed. */
    public int inFlight() {
        return inFlight;
    }

    /** Whether an error of a program has stopped all writing. */
    public boolean isFenced() {
        return fenced;
    }

    @Override
    public void submit(IoRequest request) {
        if (!loop.inLoop()) {
            throw broken("request submitted outside of its loop");
        }
        BlockError error = check(request);
        if (!error.isOk()) {
            refusedCount++;
            request.complete(error);
        } else if (request.lengthBytes() == 0 && request.op() != IoOp.FLUSH) {
            request.complete(BlockError.OK);
        } else {
            pass(request);
        }
    }

    private BlockError check(IoRequest request) {
        if (!refusal.isOk()) {
            return refusal;
        }
        IoOp op = request.op();
        if (fenced && (op.changesData() || op == IoOp.FLUSH)) {
            return BlockError.EIO;
        }
        BlockError error = rules.check(request);
        boolean isEmptyStatus = op == IoOp.BLOCK_STATUS && request.lengthBytes() == 0;
        return isEmptyStatus ? BlockError.EINVAL : error;
    }

    private void pass(IoRequest request) {
        inFlight++;
        IoRequest passed = request;
        if (costly) {
            passed = new RequestTwin(this, request).request();
        } else {
            request.push(whenDone);
        }
        try {
            below.submit(passed);
        } catch (RuntimeException | Error e) {
            fence("an exception came out of a submit: " + e);
            throw e;
        }
    }

    /** An exception came out of a task that the file below has run on the loop. */
    void taskFailed(Throwable cause) {
        fence("an exception came out of a task: " + cause);
    }

    /** What waits above must not leave the layers below half done: they called it last. */
    private void answer(IoRequest request, BlockError error) {
        try {
            request.complete(error);
        } catch (RuntimeException | Error e) {
            fence("an exception came out of a completion: " + e);
            throw e;
        }
    }

    private void onComplete(IoRequest request, BlockError error) {
        if (!loop.inLoop()) {
            throw strayed(request);
        }
        ended();
        answer(request, error);
    }

    /** A request is out of the file below; what waits for the last comes in a task of its own. */
    private void ended() {
        inFlight--;
        if (inFlight == 0 && closed) {
            loop.execute(this::closeBelow);
        }
    }

    /** The end of a request's twin, with everything checked. */
    void onTwinComplete(IoRequest twin, IoRequest request, BlockError error) {
        if (!loop.inLoop()) {
            throw strayed(request);
        }
        ended();
        if (twin.op() != request.op()
                || twin.offsetBytes() != request.offsetBytes()
                || twin.lengthBytes() != request.lengthBytes()) {
            fence("request came back changed: request=" + request + ", twin=" + twin);
        }
        String wrong = AnswerRules.check(twin, error);
        if (wrong != null) {
            fence(wrong + ": request=" + request + ", extents=" + twin.extents());
            request.complete(BlockError.EIO);
            throw new AssertionError(wrong + ": request=" + request);
        }
        answer(request, error);
    }

    /** Answers on the loop in place of the thread that had no business to, and blames that. */
    private AssertionError strayed(IoRequest request) {
        AssertionError blame = broken("request completed outside of its loop");
        loop.execute(
                () -> {
                    ended();
                    request.complete(BlockError.EIO);
                });
        return blame;
    }

    /** Fences the file and makes the error to be thrown. */
    AssertionError broken(String what) {
        fence(what);
        return new AssertionError(what + ": node=" + nodeName + ", file=" + fileName());
    }

    private void fence(String why) {
        if (!fenced) {
            fenced = true;
            LOG.error("file is fenced: node={}, file={}, reason={}", nodeName, fileName(), why);
            tell(new FileEvent(FileEvent.Kind.FENCED, nodeName, why));
        }
    }

    private void tell(FileEvent event) {
        loop.execute(
                () -> {
                    if (closing == null) {
                        listener.onEvent(event);
                    }
                });
    }

    /** Something has happened to the file below, or further down. */
    void happened(FileEvent event) {
        if (!loop.inLoop()) {
            throw broken("event outside of its loop: " + event);
        }
        if (closing != null) {
            return;
        }
        switch (event.kind()) {
            case CAPABILITIES_CHANGED -> {
                rules = new RequestRules(below);
                listener.onEvent(event);
            }
            case RESIZED -> resized();
            default -> listener.onEvent(event);
        }
    }

    /** Told once, although a file below may have told it too. */
    private void resized() {
        rules.forgetSize();
        long sizeBytes = below.geometry().sizeBytes();
        if (sizeBytes != announcedSizeBytes) {
            announcedSizeBytes = sizeBytes;
            listener.onEvent(
                    new FileEvent(FileEvent.Kind.RESIZED, nodeName, "sizeBytes=" + sizeBytes));
        }
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        return resize(newSizeBytes, () -> below.resize(newSizeBytes));
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return resize(newSizeBytes, () -> below.shrink(newSizeBytes));
    }

    private CompletionStage<Void> resize(
            long newSizeBytes, Supplier<CompletionStage<Void>> operation) {
        if (!loop.inLoop()) {
            return CompletableFuture.failedFuture(broken("file resized outside of its loop"));
        }
        BlockError error = checkResize(newSizeBytes);
        if (!error.isOk()) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            error,
                            "cannot resize: name="
                                    + fileName()
                                    + ", sizeBytes="
                                    + newSizeBytes
                                    + ", "
                                    + error.text()));
        }
        rules.forgetSize();
        return StageCalls.onLoop(
                loop,
                operation,
                () -> {
                    rules.forgetSize();
                    loop.execute(this::tellSize);
                });
    }

    private void tellSize() {
        if (closing == null) {
            resized();
        }
    }

    private BlockError checkResize(long newSizeBytes) {
        if (!refusal.isOk()) {
            return refusal;
        }
        if (fenced) {
            return BlockError.EIO;
        }
        if (newSizeBytes < 0) {
            return BlockError.EINVAL;
        }
        return rules.capabilities().canWrite() ? BlockError.OK : BlockError.EPERM;
    }

    @Override
    public <T> Optional<T> extension(Class<T> type) {
        return below.extension(type);
    }

    @Override
    public Map<String, Object> details() {
        return below.details();
    }

    @Override
    public void abort(BlockError error) {
        if (!loop.inLoop()) {
            throw broken("file aborted outside of its loop");
        }
        Invariant.check(!error.isOk(), "aborted without an error");
        if (refusal.isOk() || refusal == BlockError.ESHUTDOWN) {
            refusal = error;
        }
        if (closing == null || inFlight > 0) {
            below.abort(error);
        }
    }

    /** Also with requests in flight: the file below is closed when the last of them has ended. */
    @Override
    public CompletionStage<Void> close() {
        if (!loop.inLoop()) {
            return CompletableFuture.failedFuture(broken("file closed outside of its loop"));
        }
        if (closed) {
            return CompletableFuture.failedFuture(broken("file closed twice"));
        }
        if (fenced && inFlight > 0) {
            // What an error of the program has left in flight may never end.
            return CompletableFuture.failedFuture(
                    broken("file closed with requests in flight: count=" + inFlight));
        }
        closed = true;
        refusal = refusal.isOk() ? BlockError.ESHUTDOWN : refusal;
        CompletableFuture<Void> end = new CompletableFuture<>();
        closing = end;
        if (inFlight == 0) {
            closeBelow();
        }
        return end;
    }

    private void closeBelow() {
        CompletableFuture<Void> end = Objects.requireNonNull(closing, "closed without a close");
        StageCalls.relay(StageCalls.onLoop(loop, below::close, whenClosed), end);
    }
}
