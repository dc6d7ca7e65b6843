package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** The files of a volume as files of one xlator, called by their ids. */
final class MemoryFiles implements VolumeFiles {
    static final UUID CATALOGUE = new UUID(0, 0);

    /** Small enough for requests of the contract to have many. */
    static final long REGION_BYTES = 16 << 10;

    private final Xlator below;
    private final boolean isReplicated;

    MemoryFiles(Xlator below) {
        this(below, false);
    }

    /**
     * @param isReplicated whether what is opened is a {@link ReplicatedFile}
     */
    MemoryFiles(Xlator below, boolean isReplicated) {
        this.below = below;
        this.isReplicated = isReplicated;
    }

    @Override
    public CompletionStage<XlatorFile> openCatalogue(Loop loop, Consumer<XlatorFile> whenLost) {
        return create(CATALOGUE, 0)
                .exceptionally(
                        failure -> {
                            if (Stages.asBlockException(failure).error() != BlockError.EEXIST) {
                                throw Stages.asBlockException(failure);
                            }
                            return null;
                        })
                .thenCompose(made -> open(CATALOGUE, "catalogue", OpenOptions.READ_WRITE, loop));
    }

    @Override
    public CompletionStage<Void> create(UUID file, long sizeBytes) {
        return below.create(file.toString(), CreateOptions.ofSize(sizeBytes));
    }

    @Override
    public CompletionStage<XlatorFile> open(
            UUID file, String fileName, OpenOptions options, Loop loop) {
        return below.open(file.toString(), options, loop)
                .thenApply(
                        opened ->
                                isReplicated
                                        ? new ReplicatedFile(
                                                "volume",
                                                fileName,
                                                options,
                                                REGION_BYTES,
                                                new MemoryCopies(opened, REGION_BYTES),
                                                loop)
                                        : new Renamed(opened, fileName));
    }

    @Override
    public CompletionStage<FileInfo> stat(UUID file, String fileName) {
        return below.stat(file.toString())
                .thenApply(
                        info ->
                                new FileInfo(
                                        fileName,
                                        info.sizeBytes(),
                                        info.allocatedBytes(),
                                        file.getLeastSignificantBits(),
                                        0));
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        return below.remove(file.toString());
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return below.list()
                .thenApply(
                        infos ->
                                infos.stream()
                                        .map(info -> UUID.fromString(info.fileName()))
                                        .filter(id -> !id.equals(CATALOGUE))
                                        .toList());
    }

    @Override
    public CompletionStage<StorageSpace> space() {
        return below.statfs();
    }

    @Override
    public CompletionStage<Void> close() {
        return below.close();
    }

    private static final class Renamed extends io.quoin.xlator.PassThroughFile {
        private final String fileName;

        Renamed(XlatorFile below, String fileName) {
            super(below);
            this.fileName = fileName;
        }

        @Override
        public String fileName() {
            return fileName;
        }
    }
}
