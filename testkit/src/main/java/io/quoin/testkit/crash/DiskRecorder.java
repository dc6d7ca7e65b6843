package io.quoin.testkit.crash;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.crash.DiskEvent.Kind;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Records what reaches the files that are open for writing: each change when it is submitted, and
 * when a flush makes it stable. A flush covers what was complete when it was submitted, nothing
 * else. A lying one says that it has flushed and has not: no change is ever stable.
 *
 * <p>Threading: confined to the test.
 */
public final class DiskRecorder extends PassThroughXlator {
    public final List<DiskEvent> events = new ArrayList<>();

    /** Changes that were submitted while others of the same bytes were under way. */
    public final List<String> races = new ArrayList<>();

    private final boolean lying;

    public DiskRecorder(Xlator below, boolean lying) {
        super("recorder", "testkit/recorder", below);
        this.lying = lying;
    }

    /** Runs {@code mark} when a replay comes by here. */
    public void mark(Runnable mark) {
        events.add(DiskEvent.mark(mark));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletionStage<XlatorFile> opened = subvolume().open(fileName, options, loop);
        return options.isReadOnly() ? opened : opened.thenApply(Recorded::new);
    }

    /**
     * What reaches one file through one opening.
     *
     * <p>Threading: confined to the test.
     */
    private final class Changes {
        private final String fileName;

        /** Changes that are not stable. */
        private final List<DiskEvent> loose = new ArrayList<>();

        Changes(String fileName) {
            this.fileName = fileName;
        }

        DiskEvent begin(Kind kind, long offset, long length, byte[] data) {
            DiskEvent event = new DiskEvent(kind, fileName, offset, length, data, () -> {});
            for (DiskEvent other : loose) {
                if (!other.complete && event.overlaps(other)) {
                    races.add(event + " while " + other);
                }
            }
            events.add(event);
            loose.add(event);
            return event;
        }

        List<DiskEvent> completed() {
            return loose.stream().filter(event -> event.complete).toList();
        }

        void stable(List<DiskEvent> covered) {
            if (lying) {
                return;
            }
            DiskEvent flush = new DiskEvent(Kind.FLUSHED, fileName, 0, 0, new byte[0], () -> {});
            flush.stableAt = 0;
            events.add(flush);
            covered.forEach(event -> event.stableAt = Math.min(event.stableAt, events.size()));
            loose.removeAll(covered);
        }
    }

    private final class Recorded extends PassThroughFile {
        private final Changes changes;

        Recorded(XlatorFile below) {
            super(below);
            changes = new Changes(below.fileName());
        }

        @Override
        public void submit(IoRequest request) {
            if (request.op().changesData()) {
                boolean write = request.op() == IoOp.WRITE;
                DiskEvent event =
                        changes.begin(
                                write ? Kind.WRITE : Kind.ZERO,
                                request.offsetBytes(),
                                request.lengthBytes(),
                                write ? copyOf(request) : new byte[0]);
                request.push((done, error) -> changed(event, done, error));
            } else if (request.op() == IoOp.FLUSH) {
                List<DiskEvent> covered = changes.completed();
                request.push((done, error) -> flushed(covered, done, error));
            }
            below().submit(request);
        }

        private static byte[] copyOf(IoRequest request) {
            byte[] data = new byte[(int) request.lengthBytes()];
            UnsafeBuffer copy = FileDriver.direct(Math.max(1, data.length));
            request.memory().copyTo(0, copy.addressOffset(), data.length);
            copy.getBytes(0, data);
            return data;
        }

        private void changed(DiskEvent event, IoRequest request, BlockError error) {
            event.complete = true;
            if (request.has(IoFlags.FUA) && error.isOk()) {
                changes.stable(List.of(event));
            }
            request.complete(error);
        }

        private void flushed(List<DiskEvent> covered, IoRequest request, BlockError error) {
            if (error.isOk()) {
                changes.stable(covered);
            }
            request.complete(error);
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            DiskEvent event = changes.begin(Kind.RESIZE, newSizeBytes, 0, new byte[0]);
            return below().resize(newSizeBytes).thenRun(() -> resized(event));
        }

        @Override
        public CompletionStage<Void> shrink(long newSizeBytes) {
            DiskEvent event = changes.begin(Kind.RESIZE, newSizeBytes, 0, new byte[0]);
            return below().shrink(newSizeBytes).thenRun(() -> resized(event));
        }

        private void resized(DiskEvent event) {
            event.complete = true;
            changes.stable(List.of(event));
        }

        @Override
        public CompletionStage<Void> close() {
            List<DiskEvent> covered = changes.completed();
            return below().close().thenRun(() -> changes.stable(covered));
        }
    }
}
