package io.quoin.xlator;

import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Passes every call to its one subvolume. An xlator extends this and overrides what it changes.
 *
 * <p>Threading: thread-safe.
 */
public abstract class PassThroughXlator implements Xlator {
    private final String name;
    private final String type;
    private final Xlator subvolume;

    protected PassThroughXlator(String name, String type, Xlator subvolume) {
        this.name = name;
        this.type = type;
        this.subvolume = subvolume;
    }

    protected final Xlator subvolume() {
        return subvolume;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String type() {
        return type;
    }

    @Override
    public final List<Xlator> subvolumes() {
        return List.of(subvolume);
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return subvolume.list();
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return subvolume.statfs();
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return subvolume.stat(fileName);
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return subvolume.create(fileName, options);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume.open(fileName, options, loop);
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return subvolume.rename(fileName, newFileName);
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return subvolume.replace(fileName, byFileName);
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return subvolume.remove(fileName);
    }

    @Override
    public <T> Optional<T> extension(Class<T> type) {
        Optional<T> own = Xlator.super.extension(type);
        return own.isPresent() ? own : subvolume.extension(type);
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.completedFuture(null);
    }
}
