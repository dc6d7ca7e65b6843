package io.quoin.tools;

import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.crash.DiskEvent;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.xlator.Xlator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Sessions whose changes of files are recorded, those that go through the graph and those that
 * tools make beside it.
 *
 * <p>Threading: confined to the test.
 */
final class RecordedTools {
    private final boolean lying;
    private final List<DiskRecorder> recorders = new ArrayList<>();

    /**
     * @param lying whether flushes do nothing
     */
    RecordedTools(boolean lying) {
        this.lying = lying;
    }

    /** A session for the images of one folder. */
    ImageSession session() {
        return new ImageSession(1, WrappedPosix.types(this::record), this::open);
    }

    private Xlator record(Xlator posix) {
        DiskRecorder recorder = new DiskRecorder(posix, lying);
        recorders.add(recorder);
        return recorder;
    }

    private ImageFile open(Path path, boolean writable) {
        ChannelImageFile file = ChannelImageFile.open(path, writable);
        return writable
                ? new RecordedFile(file, recorder().beside(String.valueOf(path.getFileName())))
                : file;
    }

    private DiskRecorder recorder() {
        if (recorders.size() != 1) {
            throw new AssertionError("folders in use: " + recorders.size());
        }
        return recorders.get(0);
    }

    List<DiskEvent> events() {
        return recorder().events;
    }

    List<String> races() {
        return recorder().races;
    }

    private record RecordedFile(ImageFile file, DiskRecorder.Changes changes) implements ImageFile {
        @Override
        public String name() {
            return file.name();
        }

        @Override
        public long sizeBytes() throws IOException {
            return file.sizeBytes();
        }

        @Override
        public void read(long hostOffset, ByteBuffer target) throws IOException {
            file.read(hostOffset, target);
        }

        @Override
        public void write(long hostOffset, ByteBuffer source) throws IOException {
            byte[] data = new byte[source.remaining()];
            source.duplicate().get(data);
            file.write(hostOffset, source);
            changes.written(hostOffset, data);
        }

        @Override
        public void flush() throws IOException {
            file.flush();
            changes.flushed();
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
            if (sizeBytes < file.sizeBytes()) {
                file.truncate(sizeBytes);
                changes.resizedAndFlushed(sizeBytes);
            }
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
