package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Opens a brick: reads the label, replays the log, decides whether the cache is kept, and writes a
 * new log with all of that in one step. So the loss of the cache, the new boot id and the new start
 * count are durable together or not at all, and no frame of the old log is ever written behind.
 *
 * <p>Threading: confined(loop).
 */
final class BrickStart {
    private final Xlator below;
    private final Loop loop;
    private final @Nullable UUID volume;
    private final String boot;
    private final long logBytes;

    /**
     * @param volume the one that the brick must be of; null: any
     */
    BrickStart(Xlator below, Loop loop, @Nullable UUID volume, String boot, long logBytes) {
        this.below = below;
        this.loop = loop;
        this.volume = volume;
        this.boot = boot;
        this.logBytes = logBytes;
    }

    private record Old(BrickLabel label, LogState state, LogLayout.Header header) {}

    CompletionStage<BrickHost> start() {
        return below.list()
                .thenComposeAsync(
                        files -> {
                            List<String> names = files.stream().map(FileInfo::fileName).toList();
                            requireLabel(names);
                            return LogFiles.readAll(below, loop, BrickLabel.NAME)
                                    .thenApply(BrickLabel::decode)
                                    .thenCompose(label -> replay(label, names));
                        },
                        loop);
    }

    private static void requireLabel(List<String> names) {
        if (!names.contains(BrickLabel.NAME)) {
            boolean isEmpty = BrickFormat.isEmpty(names);
            throw new BlockException(
                    isEmpty ? BlockError.ENOENT : BlockError.EINVAL,
                    isEmpty
                            ? "folder of the brick is empty: expected=a formatted brick"
                            : "folder is no brick, it has files and no label: file="
                                    + names.get(0));
        }
    }

    private CompletionStage<BrickHost> replay(BrickLabel label, List<String> names) {
        if (volume != null && !label.volume().equals(volume)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "brick is of another volume: volume="
                            + label.volume()
                            + ", expected="
                            + volume);
        }
        return LogFiles.readAll(below, loop, LogFiles.NAME)
                .thenCompose(
                        content -> {
                            LogReader reader = new LogReader(content);
                            LogLayout.Header header = reader.header();
                            if (!header.brick().equals(label.brick())) {
                                throw LogLayout.damaged("of another brick: " + header.brick());
                            }
                            RecordCodec codec = new RecordCodec(label.index(), label.layout());
                            LogState state = new LogState(codec, label.brick());
                            reader.replay(records -> codec.decode(records, state));
                            return removeDeleted(state, names)
                                    .thenComposeAsync(none -> mark(names), loop)
                                    .thenComposeAsync(
                                            mark -> renew(new Old(label, state, header), mark),
                                            loop);
                        });
    }

    /** A delete is in the log before the files go. */
    private CompletionStage<Void> removeDeleted(LogState state, List<String> names) {
        CompletionStage<Void> removed = CompletableFuture.completedFuture(null);
        for (UUID file : state.deleted()) {
            for (String name : List.of(StoredFile.dataName(file), StoredFile.checksumName(file))) {
                if (names.contains(name)) {
                    removed = removed.thenCompose(none -> LogFiles.removeIfThere(below, name));
                }
            }
        }
        return removed.thenRunAsync(() -> state.deleted().clear(), loop);
    }

    private CompletionStage<byte[]> mark(List<String> names) {
        return names.contains(SyncMark.NAME)
                ? LogFiles.readAll(below, loop, SyncMark.NAME)
                : below.create(SyncMark.NAME, CreateOptions.ofSize(SyncMark.BYTES))
                        .thenApply(none -> new byte[0]);
    }

    private CompletionStage<BrickHost> renew(Old old, byte[] mark) {
        LogLayout.Header header = old.header;
        boolean isKept =
                old.state.isClosed()
                        || (header.boot().equals(boot)
                                && SyncMark.isClear(mark, header.startCount()));
        if (!isKept) {
            old.state.loseCache();
        }
        LogLayout.Header next =
                new LogLayout.Header(
                        0,
                        header.brick(),
                        header.startCount() + 1,
                        header.cacheEpoch() + (isKept ? 0 : 1),
                        0,
                        boot);
        LogImage image = LogImage.of(next, old.state.checkpoint(), logBytes);
        return MetadataLog.replace(below, loop, image)
                .thenCompose(
                        log ->
                                below.open(SyncMark.NAME, OpenOptions.READ_WRITE, loop)
                                        .thenComposeAsync(
                                                file -> host(old, image, log, file), loop));
    }

    /** The mark is this start's before anything is synced. */
    private CompletionStage<BrickHost> host(
            Old old, LogImage image, XlatorFile log, XlatorFile mark) {
        long startCount = image.header().startCount();
        BrickLabel label = old.label;
        BrickIdentity identity =
                new BrickIdentity(
                        label.volume(),
                        label.brick(),
                        label.index(),
                        label.layout(),
                        startCount,
                        image.header().cacheEpoch(),
                        image.header().logId());
        CompletableFuture<BrickHost> started = new CompletableFuture<>();
        new FileIo(loop)
                .write(
                        mark,
                        0,
                        SyncMark.content(startCount, false),
                        0,
                        error -> {
                            if (error.isOk()) {
                                BrickHost.Opened opened =
                                        new BrickHost.Opened(
                                                identity, label, old.state, image, log, mark);
                                started.complete(new BrickHost(below, loop, opened, logBytes));
                            } else {
                                started.completeExceptionally(
                                        new BlockException(
                                                error,
                                                "mark of the brick cannot be written: file="
                                                        + SyncMark.NAME));
                            }
                        });
        return started;
    }
}
