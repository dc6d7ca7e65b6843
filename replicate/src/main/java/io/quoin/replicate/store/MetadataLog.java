package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the log of metadata. One frame is under way at a time; what is appended meanwhile shares
 * the next. When half of the file is used, a checkpoint of all that has been appended becomes a new
 * log and takes the place of this one.
 *
 * <p>A crash keeps a prefix of the records, with every one that was reported durable. A log that
 * cannot be written ends: nothing is durable any more.
 *
 * <p>Threading: confined(loop).
 */
final class MetadataLog {
    private static final Logger LOG = LoggerFactory.getLogger(MetadataLog.class);

    private final LogFiles files;
    private final Loop loop;
    private final FileIo io;
    private final Supplier<List<byte[]>> checkpoint;
    private final Consumer<BlockException> whenFailed;
    private final long capacityBytesMin;
    private LogLayout.Header header;
    private XlatorFile file;
    private long capacityBytes;
    private long endBytes;
    private long checkpointAtBytes;
    private long sequence;
    private List<Entry> waiting = new ArrayList<>();
    private boolean isBusy;
    private boolean isEnded;
    private boolean isFileClosed;
    private @Nullable Runnable whenQuiet;

    private static final class Entry {
        final byte[] record;
        final Runnable durable;

        Entry(byte[] record, Runnable durable) {
            this.record = record;
            this.durable = durable;
        }
    }

    /**
     * @param file the log that {@code image} is in
     * @param checkpoint records that make up the state with everything appended so far
     * @param whenFailed is told once, when the log ends
     */
    MetadataLog(
            Xlator below,
            Loop loop,
            LogImage image,
            XlatorFile file,
            long capacityBytesMin,
            Supplier<List<byte[]>> checkpoint,
            Consumer<BlockException> whenFailed) {
        this.files = new LogFiles(below, loop);
        this.loop = loop;
        this.io = new FileIo(loop);
        this.checkpoint = checkpoint;
        this.whenFailed = whenFailed;
        this.capacityBytesMin = capacityBytesMin;
        this.header = image.header();
        this.file = file;
        begin(image);
    }

    private void begin(LogImage image) {
        header = image.header();
        capacityBytes = image.capacityBytes();
        endBytes = image.endBytes();
        checkpointAtBytes = capacityBytes / 2;
        sequence = header.checkpointFrames() + 1;
    }

    /** Appends a record; {@code durable} runs in a task of its own, in the order of the calls. */
    void append(byte[] record, Runnable durable) {
        if (isEnded) {
            return;
        }
        waiting.add(new Entry(record, durable));
        if (!isBusy) {
            isBusy = true;
            loop.execute(this::proceed);
        }
    }

    /**
     * Takes nothing more, and closes the file once what has been appended is durable. The log may
     * have failed before.
     */
    void close(Runnable whenClosed) {
        boolean wasEnded = isEnded;
        isEnded = true;
        Runnable end =
                () -> closeFile().whenCompleteAsync((none, failure) -> whenClosed.run(), loop);
        if (wasEnded || !isBusy) {
            end.run();
        } else {
            whenQuiet = end;
        }
    }

    private CompletionStage<Void> closeFile() {
        if (isFileClosed) {
            return CompletableFuture.completedFuture(null);
        }
        isFileClosed = true;
        return file.close();
    }

    private void proceed() {
        Runnable quiet = whenQuiet;
        if (waiting.isEmpty()) {
            isBusy = false;
            if (quiet != null) {
                quiet.run();
            }
        } else if (endBytes > checkpointAtBytes) {
            makeCheckpoint();
        } else {
            writeFrame();
        }
    }

    private void writeFrame() {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        int count = 0;
        while (count < waiting.size() && records.size() < LogImage.FRAME_BYTES) {
            records.writeBytes(waiting.get(count).record);
            count++;
        }
        byte[] frame = LogLayout.frame(header.logId(), sequence, records.toByteArray());
        if (endBytes + frame.length > capacityBytes) {
            makeCheckpoint();
            return;
        }
        List<Entry> batch = List.copyOf(waiting.subList(0, count));
        waiting.subList(0, count).clear();
        io.writeDurably(file, endBytes, frame, error -> frameEnded(frame.length, batch, error));
    }

    private void frameEnded(int frameBytes, List<Entry> batch, BlockError error) {
        if (!error.isOk()) {
            fail(new BlockException(error, "metadata log cannot be written: offset=" + endBytes));
            return;
        }
        endBytes += frameBytes;
        sequence++;
        batch.forEach(entry -> loop.execute(entry.durable));
        loop.execute(this::proceed);
    }

    /** What waits is in the checkpoint, so that it needs no frame. */
    private void makeCheckpoint() {
        List<Entry> covered = waiting;
        waiting = new ArrayList<>();
        LogImage image = LogImage.of(header, checkpoint.get(), capacityBytesMin);
        files.write(image)
                .whenCompleteAsync(
                        (none, failure) -> {
                            if (failure == null) {
                                change(image, covered);
                            } else {
                                postpone(covered, Stages.asBlockException(failure));
                            }
                        },
                        loop);
    }

    private void change(LogImage image, List<Entry> covered) {
        closeFile()
                .handleAsync((none, failure) -> files.place(), loop)
                .thenCompose(placed -> placed.thenCompose(none -> files.open()))
                .whenCompleteAsync(
                        (opened, failure) -> {
                            if (failure == null) {
                                file = opened;
                                isFileClosed = false;
                                begin(image);
                                covered.forEach(entry -> loop.execute(entry.durable));
                                loop.execute(this::proceed);
                            } else {
                                fail(Stages.asBlockException(failure));
                            }
                        },
                        loop);
    }

    /** For lack of space, most likely: the old log goes on as long as it has room. */
    private void postpone(List<Entry> covered, BlockException failure) {
        long room = capacityBytes - endBytes;
        int needed = covered.stream().mapToInt(entry -> entry.record.length).sum();
        if (LogLayout.frameBytes(needed) > room) {
            fail(failure);
            return;
        }
        LOG.warn("no checkpoint of the metadata log: room={}", room, failure);
        checkpointAtBytes = Math.max(checkpointAtBytes, endBytes) + room / 4;
        covered.addAll(waiting);
        waiting = covered;
        writeFrame();
    }

    private void fail(BlockException failure) {
        boolean wasClosing = isEnded;
        isEnded = true;
        isBusy = false;
        waiting.clear();
        Runnable quiet = whenQuiet;
        if (!wasClosing) {
            whenFailed.accept(failure);
        }
        if (quiet != null) {
            quiet.run();
        }
    }

    /** Makes the log that {@code image} is, in the place of the one before. */
    static CompletionStage<XlatorFile> replace(Xlator below, Loop loop, LogImage image) {
        LogFiles files = new LogFiles(below, loop);
        return files.write(image)
                .thenCompose(none -> files.place())
                .thenCompose(none -> files.open());
    }
}
