package io.quoin.tools;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * An image that a tool has open: the block device, and the loop that owns it. The methods of this
 * class wait, and must not be called on a loop.
 *
 * <p>Threading: thread-safe; {@link #file} is confined to the loop.
 */
public final class OpenedImage implements AutoCloseable {
    private final ImageLocation location;
    private final XlatorFile file;
    private final Loop loop;
    private final LoopWatch watch;
    private final Capabilities capabilities;
    private final AtomicBoolean closed = new AtomicBoolean();

    OpenedImage(ImageLocation location, XlatorFile file, Loop loop, LoopWatch watch) {
        this.location = location;
        this.file = file;
        this.loop = loop;
        this.watch = watch;
        this.capabilities = file.capabilities();
    }

    public ImageLocation location() {
        return location;
    }

    /** The block device. */
    public XlatorFile file() {
        return file;
    }

    public Loop loop() {
        return loop;
    }

    public Capabilities capabilities() {
        return capabilities;
    }

    LoopWatch watch() {
        return watch;
    }

    /** The sizes at this moment. */
    public Geometry geometry() {
        return call(device -> CompletableFuture.completedFuture(device.geometry()));
    }

    /** What there is to say about it: format, cluster size, backing file. */
    public Map<String, Object> details() {
        return call(device -> CompletableFuture.completedFuture(device.details()));
    }

    public void resize(long newSizeBytes) {
        call(device -> device.resize(newSizeBytes));
    }

    /** Runs {@code use} on the loop and waits for the stage that it returns. */
    public <T> T call(Function<XlatorFile, CompletionStage<T>> use) {
        return Stages.await(watch.over(start(use)));
    }

    /** As {@link #call}, however long it takes: for work in proportion to the image. */
    public <T> T callToTheEnd(Function<XlatorFile, CompletionStage<T>> use) {
        return Stages.awaitTheEnd(watch.over(start(use)));
    }

    private <T> CompletableFuture<T> start(Function<XlatorFile, CompletionStage<T>> use) {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> Relay.into(result, () -> use.apply(file)));
        return result;
    }

    /**
     * Flushes and closes, once however often it is called.
     *
     * @throws io.quoin.block.BlockException if what was written may be lost
     */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            callToTheEnd(XlatorFile::close);
        }
    }
}
