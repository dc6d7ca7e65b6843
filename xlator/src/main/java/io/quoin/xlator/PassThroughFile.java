package io.quoin.xlator;

import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Passes every call to the file below. A file of an xlator extends this and overrides what it
 * changes; one that wants to see a request end pushes itself on it before it passes it on.
 *
 * <p>Threading: confined(loop).
 */
public abstract class PassThroughFile implements XlatorFile {
    private final XlatorFile below;

    protected PassThroughFile(XlatorFile below) {
        this.below = below;
    }

    protected final XlatorFile below() {
        return below;
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
        return below.capabilities();
    }

    @Override
    public void submit(IoRequest request) {
        below.submit(request);
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        return below.resize(newSizeBytes);
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return below.shrink(newSizeBytes);
    }

    @Override
    public <T> Optional<T> extension(Class<T> type) {
        Optional<T> own = XlatorFile.super.extension(type);
        return own.isPresent() ? own : below.extension(type);
    }

    @Override
    public Map<String, Object> details() {
        return below.details();
    }

    @Override
    public void abort(BlockError error) {
        below.abort(error);
    }

    @Override
    public CompletionStage<Void> close() {
        return below.close();
    }
}
