package io.quoin.xlator.feature;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Refuses every change: files are opened read-only whatever was asked for and say so in their
 * capabilities, which the boundary holds requests against (EPERM); calls that would change the
 * namespace fail with EROFS.
 *
 * <p>Threading: thread-safe.
 */
final class ReadOnly extends PassThroughXlator {
    private final boolean refuses;

    ReadOnly(String name, boolean refuses, Xlator subvolume) {
        super(name, ReadOnlyType.TYPE, subvolume);
        this.refuses = refuses;
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return refuses ? refused("create", fileName) : super.create(fileName, options);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return super.open(fileName, refuses ? options.mode(OpenMode.READ_ONLY) : options, loop);
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return refuses ? refused("rename", fileName) : super.rename(fileName, newFileName);
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return refuses ? refused("replace", fileName) : super.replace(fileName, byFileName);
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return refuses ? refused("remove", fileName) : super.remove(fileName);
    }

    private CompletionStage<Void> refused(String operation, String fileName) {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.EROFS,
                        "volume is read-only: node="
                                + name()
                                + ", operation="
                                + operation
                                + ", name="
                                + fileName));
    }
}
