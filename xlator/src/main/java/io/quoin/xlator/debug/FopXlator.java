package io.quoin.xlator.debug;

import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * An xlator that treats all operations of the namespace alike.
 *
 * <p>Threading: thread-safe.
 */
abstract class FopXlator extends PassThroughXlator {
    FopXlator(String name, String type, Xlator subvolume) {
        super(name, type, subvolume);
    }

    /** Makes a call of the namespace, or of an open file other than its data path. */
    abstract <T> CompletionStage<T> around(
            Fop fop, String fileName, Supplier<CompletionStage<T>> call);

    /** The file to be handed up for one that was opened below. */
    abstract XlatorFile wrap(XlatorFile below, Loop loop);

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return around(Fop.LIST, "", () -> subvolume().list());
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return around(Fop.STATFS, "", () -> subvolume().statfs());
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return around(Fop.STAT, fileName, () -> subvolume().stat(fileName));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return around(Fop.CREATE, fileName, () -> subvolume().create(fileName, options));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return around(Fop.OPEN, fileName, () -> subvolume().open(fileName, options, loop))
                .thenApply(file -> wrap(file, loop));
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return around(Fop.RENAME, fileName, () -> subvolume().rename(fileName, newFileName));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return around(Fop.REPLACE, fileName, () -> subvolume().replace(fileName, byFileName));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return around(Fop.REMOVE, fileName, () -> subvolume().remove(fileName));
    }
}
