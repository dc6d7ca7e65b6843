package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a volume into use: reads its names and deletes the files that have none, which a crash has
 * left between the making of a file and its naming, or between the loss of a name and the deletion.
 *
 * <p>Files are listed before the names are read. A read of the catalogue says that this process has
 * the volume after it began, so what was listed was made by this one or by owners before it, and
 * those names are read. Were it listed afterwards, it might hold what the next owner has just made.
 *
 * <p>Threading: confined(loop), the catalogue's.
 */
final class Mount {
    private static final Logger LOG = LoggerFactory.getLogger(Mount.class);

    private Mount() {}

    /**
     * The names of the volume.
     *
     * <p>Fails with EIO if there are files but no names: they are not given up for that.
     */
    static CompletionStage<Catalogue> of(XlatorFile file, VolumeFiles files, Loop loop) {
        return files.list()
                .thenComposeAsync(
                        listed ->
                                Catalogue.read(file)
                                        .thenCompose(
                                                catalogue ->
                                                        begin(listed, catalogue, files)
                                                                .thenApplyAsync(
                                                                        deleted -> catalogue,
                                                                        loop)),
                        loop);
    }

    /** A new volume gets names before it gets files, so that ever after there are some. */
    private static CompletionStage<Void> begin(
            List<UUID> listed, Catalogue catalogue, VolumeFiles files) {
        if (!catalogue.isEmpty()) {
            return deleteNameless(listed, catalogue, files);
        }
        if (!listed.isEmpty()) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EIO,
                            "volume has files but no names of them: files="
                                    + listed.size()
                                    + ", expected=a catalogue that can be read"));
        }
        return catalogue.change(Collections.emptySortedMap());
    }

    private static CompletionStage<Void> deleteNameless(
            List<UUID> listed, Catalogue catalogue, VolumeFiles files) {
        Set<UUID> named = new HashSet<>(catalogue.names().values());
        List<CompletableFuture<Void>> deleted =
                listed.stream()
                        .filter(file -> !named.contains(file))
                        .map(file -> deleteNameless(file, files).toCompletableFuture())
                        .toList();
        return CompletableFuture.allOf(deleted.toArray(CompletableFuture<?>[]::new));
    }

    /** Deletes a file whose name is gone. One that cannot be deleted now the next mount deletes. */
    static CompletionStage<Void> deleteNameless(UUID file, VolumeFiles files) {
        LOG.info("File without a name is deleted: id={}", file);
        return files.delete(file)
                .exceptionally(
                        failure -> {
                            LOG.warn("File not deleted: id={}", file, failure);
                            return null;
                        });
    }
}
