package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Brick;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Geometry;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A brick on files of an xlator: its label, its log, and all files of it. That no other process has
 * the brick is for the xlator to see to, as storage/posix does.
 *
 * <p>Threading: confined(loop), the loop that it was opened on; stages complete there.
 */
public final class BrickHost {
    /** The size of the log, unless a checkpoint needs more. */
    public static final long LOG_BYTES = 4 << 20;

    /** The file by which a folder is a brick. */
    public static final String LABEL_FILE = BrickLabel.NAME;

    private static final Logger LOG = LoggerFactory.getLogger(BrickHost.class);
    private static final FileInfo NOTHING = new FileInfo("", 0, 0);
    private static final long ATTENDED_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Xlator below;
    private final Loop loop;
    private final BrickIdentity identity;
    private final BrickLabel label;
    private final LogState state;
    private final StoreParts parts;
    private final XlatorFile markFile;
    private final Map<UUID, HostedFile> files = new HashMap<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private @Nullable BlockException failure;
    private boolean isEnded;

    /** What a start has found and made. */
    record Opened(
            BrickIdentity identity,
            BrickLabel label,
            LogState state,
            LogImage image,
            XlatorFile log,
            XlatorFile mark) {}

    BrickHost(Xlator below, Loop loop, Opened opened, long logBytes) {
        this.below = below;
        this.loop = loop;
        this.identity = opened.identity;
        this.label = opened.label;
        this.state = opened.state;
        this.markFile = opened.mark;
        FileIo io = new FileIo(loop);
        MetadataLog log =
                new MetadataLog(
                        below,
                        loop,
                        opened.image,
                        opened.log,
                        logBytes,
                        state::checkpoint,
                        this::fail);
        SyncMark mark =
                new SyncMark(
                        io,
                        opened.mark,
                        identity.startCount(),
                        error -> fail(new BlockException(error, "mark cannot be written")));
        this.parts =
                new StoreParts(
                        below,
                        loop,
                        io,
                        label.geometry(),
                        new Checksums(label.geometry().blockBytes()),
                        new SpaceGuard(below, loop),
                        mark,
                        log,
                        new RecordCodec(label.index(), label.layout()));
    }

    /**
     * Makes an empty folder a brick, durably. EEXIST if there is anything in it.
     *
     * @param index which of the layout's voters it is, from 0
     * @param logBytes the size of the log; {@link #LOG_BYTES} is usual
     */
    public static CompletionStage<Void> format(
            Xlator below, Loop loop, UUID volume, int index, Layout layout, long logBytes) {
        BrickLabel label =
                new BrickLabel(volume, UUID.randomUUID(), index, layout, Geometry.DEFAULT);
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(
                () -> complete(new BrickFormat(below, loop).format(label, logBytes), done, loop));
        return done;
    }

    /**
     * Takes a format back, of a brick that is not open and has no file yet.
     *
     * @return fails with EEXIST if there is more in it than a new brick has, ENOENT if it is none
     */
    public static CompletionStage<Void> unformat(Xlator below) {
        return BrickFormat.undo(below);
    }

    /**
     * Opens a brick. ENOENT if the folder is empty; EINVAL if it is no brick, or one of another
     * volume; EIO if its log is damaged.
     *
     * @param boot another one if the page cache may have been lost since: the boot id of the
     *     machine (/proc/sys/kernel/random/boot_id) and what tells one mount of the file system
     *     from the next
     */
    public static CompletionStage<BrickHost> open(
            Xlator below, Loop loop, UUID volume, String boot, long logBytes) {
        CompletableFuture<BrickHost> done = new CompletableFuture<>();
        loop.execute(
                () ->
                        complete(
                                new BrickStart(below, loop, volume, boot, logBytes).start(),
                                done,
                                loop));
        return done;
    }

    /** As {@link #open(Xlator, Loop, UUID, String, long)}, whichever volume it is of. */
    public static CompletionStage<BrickHost> open(
            Xlator below, Loop loop, String boot, long logBytes) {
        CompletableFuture<BrickHost> done = new CompletableFuture<>();
        loop.execute(
                () ->
                        complete(
                                new BrickStart(below, loop, null, boot, logBytes).start(),
                                done,
                                loop));
        return done;
    }

    private static <T> void complete(
            CompletionStage<T> stage, CompletableFuture<T> done, Loop loop) {
        stage.whenCompleteAsync(
                (result, failure) -> {
                    if (failure == null) {
                        done.complete(result);
                    } else {
                        done.completeExceptionally(Stages.asBlockException(failure));
                    }
                },
                loop);
    }

    /** Which brick it is. */
    public BrickIdentity identity() {
        return identity;
    }

    /** Completes when the brick has been closed; fails if it ended because of its log. */
    public CompletionStage<Void> ended() {
        return ended;
    }

    /**
     * A message of a gateway. One to a file that is not there is answered with NoSession, unless it
     * is a promise: that makes the file.
     *
     * @param replies takes the answers to this gateway from now on, later than this call
     */
    public void receive(UUID file, Request request, Consumer<Reply> replies) {
        if (isEnded || state.deleted().contains(file)) {
            return;
        }
        HostedFile hosted = files.get(file);
        if (hosted == null) {
            boolean isKnown = state.files().containsKey(file);
            if (!isKnown && !(request.operation() instanceof Request.Promise)) {
                Reply reply =
                        new Reply(
                                identity.index(),
                                request.session(),
                                request.id(),
                                new Reply.NoSession());
                loop.execute(() -> replies.accept(reply));
                return;
            }
            hosted = load(file, isKnown);
        }
        hosted.receive(request, replies, loop.nanoTime());
    }

    private HostedFile load(UUID file, boolean isKnown) {
        BrickMetadata metadata = isKnown ? state.ofFile(file) : state.newFile();
        StoredFile store = new StoredFile(parts, file, metadata.active());
        HostedFile hosted = new HostedFile(store);
        files.put(file, hosted);
        boolean hasData = identity.layout().isData(identity.index());
        CompletionStage<Void> made =
                isKnown || !hasData
                        ? CompletableFuture.completedFuture(null)
                        : create(StoredFile.dataName(file))
                                .thenCompose(none -> create(StoredFile.checksumName(file)));
        made.whenCompleteAsync(
                (none, failure) -> {
                    if (failure != null) {
                        LOG.error("file cannot be made: file={}", file, failure);
                        opened(file, hosted, metadata, false);
                    } else if (hasData) {
                        store.open(isUsable -> opened(file, hosted, metadata, isUsable));
                    } else {
                        opened(file, hosted, metadata, true);
                    }
                },
                loop);
        return hosted;
    }

    /** One that a process which ended too early has left is as good as new, if it is empty. */
    private CompletionStage<Void> create(String fileName) {
        return below.list()
                .thenCompose(
                        all ->
                                all.stream()
                                                .anyMatch(
                                                        info ->
                                                                info.fileName().equals(fileName)
                                                                        && info.sizeBytes() == 0)
                                        ? CompletableFuture.completedFuture(null)
                                        : below.create(fileName, CreateOptions.ofSize(0)));
    }

    private void opened(UUID file, HostedFile hosted, BrickMetadata metadata, boolean isUsable) {
        if (isEnded || files.get(file) != hosted) {
            return;
        }
        if (isUsable) {
            state.files().put(file, metadata);
        } else {
            files.remove(file); // the next promise tries again
        }
        hosted.opened(
                isUsable,
                (known, store, port) -> {
                    Brick brick = new Brick(identity.index(), label.geometry(), known, store, port);
                    brick.start(true); // a loss is in the metadata since the start
                    return brick;
                },
                metadata);
    }

    /** Deletes a file, durably; one that is not there is deleted. */
    public CompletionStage<Void> delete(UUID file) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        HostedFile hosted = files.remove(file);
        boolean isThere = state.files().containsKey(file);
        boolean isBeingDeleted = state.deleted().contains(file);
        if (isEnded || (hosted == null && !isThere && !isBeingDeleted)) {
            finish(done);
            return done;
        }
        state.deleted(file);
        if (hosted != null) {
            hosted.store.end();
        }
        parts.log()
                .append(
                        parts.codec().deleted(file),
                        () -> {
                            if (hosted == null) {
                                remove(file, done);
                            } else {
                                hosted.store.close(isKept -> remove(file, done));
                            }
                        });
        return done;
    }

    private void finish(CompletableFuture<Void> done) {
        if (isEnded) {
            done.completeExceptionally(closed());
        } else {
            done.complete(null);
        }
    }

    private void remove(UUID file, CompletableFuture<Void> done) {
        CompletionStage<Void> removed =
                LogFiles.removeIfThere(below, StoredFile.dataName(file))
                        .thenCompose(
                                none ->
                                        LogFiles.removeIfThere(
                                                below, StoredFile.checksumName(file)))
                        .thenRunAsync(() -> state.deleted().remove(file), loop);
        complete(removed, done, loop);
    }

    /** The files there are. */
    public CompletionStage<List<UUID>> list() {
        return isEnded
                ? CompletableFuture.failedFuture(closed())
                : CompletableFuture.completedFuture(List.copyOf(state.files().keySet()));
    }

    /** The space of the storage. */
    public CompletionStage<BrickSpace> space() {
        CompletableFuture<BrickSpace> done = new CompletableFuture<>();
        complete(
                below.statfs()
                        .thenApply(
                                space -> new BrickSpace(space.sizeBytes(), space.availableBytes())),
                done,
                loop);
        return done;
    }

    /** Looks at a file; one that is not there has promised nothing. */
    public CompletionStage<BrickProbe> probe(UUID file) {
        if (isEnded) {
            return CompletableFuture.failedFuture(closed());
        }
        CompletableFuture<BrickProbe> done = new CompletableFuture<>();
        boolean hasData =
                identity.layout().isData(identity.index()) && state.files().containsKey(file);
        CompletionStage<FileInfo> data =
                hasData
                        ? below.stat(StoredFile.dataName(file))
                        : CompletableFuture.completedFuture(NOTHING);
        complete(data.thenApplyAsync(info -> probe(file, info), loop), done, loop);
        return done;
    }

    private BrickProbe probe(UUID file, FileInfo data) {
        BrickMetadata metadata = state.files().get(file);
        if (metadata == null) {
            return new BrickProbe(0, 0, false, state.newFile().config(), 0, 0);
        }
        HostedFile hosted = files.get(file);
        boolean isAttended =
                hosted != null && loop.nanoTime() - hosted.heardNanos() < ATTENDED_NANOS;
        return new BrickProbe(
                metadata.promised(),
                metadata.gateway(),
                isAttended,
                metadata.config(),
                data.sizeBytes(),
                data.allocatedBytes());
    }

    /**
     * Answers nothing any more, makes everything durable and closes. What could not be made durable
     * is what the next start counts as lost.
     */
    public CompletionStage<Void> close() {
        if (!isEnded) {
            isEnded = true;
            closeFiles(new ArrayList<>(files.values()), true);
        }
        return ended;
    }

    private void closeFiles(List<HostedFile> left, boolean isKept) {
        if (left.isEmpty()) {
            Runnable last = () -> parts.log().close(this::closeMark);
            if (isKept && !parts.mark().isHeld()) {
                parts.log().append(parts.codec().closed(), () -> {});
            }
            last.run();
            return;
        }
        left.remove(left.size() - 1)
                .store
                .close(isFileKept -> closeFiles(left, isKept && isFileKept));
    }

    private void closeMark() {
        markFile.close().whenCompleteAsync((none, second) -> end(), loop);
    }

    private void end() {
        BlockException why = failure;
        if (why == null) {
            ended.complete(null);
        } else {
            ended.completeExceptionally(why);
        }
    }

    private BlockException closed() {
        return new BlockException(
                BlockError.ESHUTDOWN, "brick is closed: brick=" + identity.brick());
    }

    /** Without its log it can promise nothing. */
    private void fail(BlockException why) {
        LOG.error("brick ends: brick={}", identity.brick(), why);
        failure = why;
        if (!isEnded) {
            isEnded = true;
            closeFiles(new ArrayList<>(files.values()), false);
        }
    }
}
