package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Records what reaches a file, in order, and makes the file as a crash may leave it: everything up
 * to the last flush, and of what came after it any sectors.
 */
final class CrashLog extends PassThroughXlator {
    private static final int SECTOR_BYTES = 512;

    /** What happened to the file, or a mark of the test's own. */
    static final class Event {
        final IoOp op;
        final long offset;
        final long length;
        final byte[] data;
        final Runnable mark;
        long resizeTo = -1;

        /** How many events there were when it was durable by itself (FUA). */
        int durableAt = Integer.MAX_VALUE;

        Event(IoOp op, long offset, long length, byte[] data, Runnable mark) {
            this.op = op;
            this.offset = offset;
            this.length = length;
            this.data = data;
            this.mark = mark;
        }
    }

    final List<Event> events = new ArrayList<>();
    private final String recorded;

    CrashLog(Xlator below, String recorded) {
        super("crash-log", "testkit/crash-log", below);
        this.recorded = recorded;
    }

    /** Runs {@code mark} when a replay comes by here. */
    void mark(Runnable mark) {
        events.add(new Event(IoOp.CACHE, 0, 0, new byte[0], mark));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenMode mode, Loop loop) {
        CompletionStage<XlatorFile> opened = subvolume().open(fileName, mode, loop);
        return fileName.equals(recorded) && mode == OpenMode.READ_WRITE
                ? opened.thenApply(Recorder::new)
                : opened;
    }

    /**
     * The file after the first {@code count} events.
     *
     * @param random null: each event has reached the disk; else events behind the last flush may be
     *     missing or torn
     */
    byte[] replay(byte[] initial, int count, Random random) {
        int flushed = 0;
        for (int i = 0; i < count; i++) {
            Event event = events.get(i);
            flushed = event.op == IoOp.FLUSH && event.resizeTo < 0 ? i : flushed;
        }
        byte[] file = initial.clone();
        for (int i = 0; i < count; i++) {
            Event event = events.get(i);
            if (event.resizeTo >= 0) {
                file = Arrays.copyOf(file, (int) event.resizeTo);
                continue;
            }
            switch (event.op) {
                case WRITE -> {
                    boolean whole = random == null || i < flushed || event.durableAt <= count;
                    int end = (int) (event.offset + event.length);
                    if (whole && end > file.length) {
                        file = Arrays.copyOf(file, end);
                    }
                    write(file, event, whole ? null : random);
                }
                case WRITE_ZEROES, DISCARD -> {
                    boolean durable = i < flushed || event.durableAt <= count;
                    if (random == null || durable || random.nextBoolean()) {
                        int end = (int) Math.min(file.length, event.offset + event.length);
                        Arrays.fill(file, (int) event.offset, end, (byte) 0);
                    }
                }
                default -> event.mark.run();
            }
        }
        return file;
    }

    private static void write(byte[] file, Event event, Random random) {
        int keep = random == null ? 2 : random.nextInt(3);
        for (int at = 0; at < event.length; ) {
            int sectorEnd = (int) ((event.offset + at) / SECTOR_BYTES + 1) * SECTOR_BYTES;
            int to = (int) Math.min(event.length, sectorEnd - event.offset);
            boolean arrives = keep == 2 || (keep == 1 && random.nextBoolean());
            if (arrives && event.offset + to <= file.length) {
                System.arraycopy(event.data, at, file, (int) event.offset + at, to - at);
            }
            at = to;
        }
    }

    private final class Recorder extends PassThroughFile {
        Recorder(XlatorFile below) {
            super(below);
        }

        @Override
        public void submit(IoRequest request) {
            if (request.op().changesData()) {
                byte[] data =
                        new byte[request.op() == IoOp.WRITE ? (int) request.lengthBytes() : 0];
                if (data.length > 0) {
                    UnsafeBuffer copy = FileDriver.direct(data.length);
                    request.memory().copyTo(0, copy.addressOffset(), data.length);
                    copy.getBytes(0, data);
                }
                Event event =
                        new Event(
                                request.op(),
                                request.offsetBytes(),
                                request.lengthBytes(),
                                data,
                                () -> {});
                events.add(event);
                if (request.has(IoFlags.FUA)) {
                    request.push(
                            (done, error) -> {
                                event.durableAt = events.size();
                                done.complete(error);
                            });
                }
            }
            if (request.op() == IoOp.FLUSH) {
                request.push(this::flushed);
            }
            below().submit(request);
        }

        private void flushed(IoRequest request, BlockError error) {
            events.add(new Event(IoOp.FLUSH, 0, 0, new byte[0], () -> {}));
            request.complete(error);
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            Event event = new Event(IoOp.FLUSH, 0, 0, new byte[0], () -> {});
            event.resizeTo = newSizeBytes;
            events.add(event);
            return below().resize(newSizeBytes);
        }
    }
}
