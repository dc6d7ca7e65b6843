package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ImageFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A file in memory that keeps what is written and flushed, to be cut off anywhere. */
final class RecordedFile implements ImageFile {
    private static final int SECTOR_BYTES = 512;

    private final byte[] initial;
    private byte[] content;
    private final List<Write> writes = new ArrayList<>();

    RecordedFile(byte[] content) {
        this.initial = content.clone();
        this.content = content.clone();
    }

    private static final class Write {
        private final long offset;
        private final byte[] data;
        private final boolean flush;

        Write(long offset, byte[] data, boolean flush) {
            this.offset = offset;
            this.data = data;
            this.flush = flush;
        }

        byte[] on(byte[] file, int from, int to) {
            byte[] result = file;
            if (offset + to > result.length) {
                result = Arrays.copyOf(result, (int) (offset + to));
            }
            System.arraycopy(data, from, result, (int) (offset + from), to - from);
            return result;
        }
    }

    /** Writes and flushes so far. */
    int events() {
        return writes.size();
    }

    byte[] content() {
        return content.clone();
    }

    /**
     * What a crash may leave after the first {@code count} events: what was flushed, and of the
     * rest some sectors.
     *
     * @param percent of the sectors that are not stable that got through; 100: all
     */
    byte[] after(int count, int percent, Random random) {
        int stable = 0;
        for (int i = 0; i < count; i++) {
            stable = writes.get(i).flush ? i : stable;
        }
        byte[] file = initial.clone();
        for (int i = 0; i < count; i++) {
            Write write = writes.get(i);
            for (int at = 0; at < write.data.length; ) {
                int inSector = (int) ((write.offset + at) % SECTOR_BYTES);
                int end = Math.min(write.data.length, at + SECTOR_BYTES - inSector);
                if (i < stable || random.nextInt(100) < percent) {
                    file = write.on(file, at, end);
                }
                at = end;
            }
        }
        return file;
    }

    @Override
    public String name() {
        return "recorded";
    }

    @Override
    public long sizeBytes() {
        return content.length;
    }

    @Override
    public void read(long hostOffset, ByteBuffer target) {
        int length = (int) Math.max(0, Math.min(target.remaining(), content.length - hostOffset));
        if (length > 0) {
            target.put(content, (int) hostOffset, length);
        }
        while (target.hasRemaining()) {
            target.put((byte) 0);
        }
    }

    @Override
    public void write(long hostOffset, ByteBuffer source) {
        byte[] data = new byte[source.remaining()];
        source.get(data);
        Write write = new Write(hostOffset, data, false);
        writes.add(write);
        content = write.on(content, 0, data.length);
    }

    @Override
    public void flush() {
        writes.add(new Write(0, new byte[0], true));
    }

    @Override
    public void close() {}
}
