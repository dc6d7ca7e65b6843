package io.quoin.testkit;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The content of a file of a {@link MemoryXlator}, what has it open, and whether it was flushed.
 *
 * <p>Threading: thread-safe.
 */
final class StoredFile {
    private static final AtomicLong IDS = new AtomicLong();

    private final SparseBytes bytes;
    private final long fileId = IDS.incrementAndGet();
    private int readers;
    private boolean hasWriter;
    private boolean unflushed;
    private long flushCount;

    StoredFile(long sizeBytes) {
        this(new SparseBytes(sizeBytes));
    }

    private StoredFile(SparseBytes bytes) {
        this.bytes = bytes;
    }

    long fileId() {
        return fileId;
    }

    /** The caller holds this object's lock. */
    SparseBytes bytes() {
        return bytes;
    }

    synchronized long sizeBytes() {
        return bytes.sizeBytes();
    }

    synchronized long allocatedBytes() {
        return bytes.allocatedBytes();
    }

    synchronized void changed() {
        unflushed = true;
    }

    synchronized void flushed() {
        unflushed = false;
        flushCount++;
    }

    synchronized boolean isUnflushed() {
        return unflushed;
    }

    synchronized long flushCount() {
        return flushCount;
    }

    synchronized boolean isOpen() {
        return hasWriter || readers > 0;
    }

    /** {@code false} if there is a writer already. */
    synchronized boolean openForWriting() {
        if (hasWriter) {
            return false;
        }
        hasWriter = true;
        return true;
    }

    synchronized void openForReading() {
        readers++;
    }

    synchronized void closeWriter() {
        hasWriter = false;
    }

    synchronized void closeReader() {
        readers--;
    }

    synchronized StoredFile copy() {
        return new StoredFile(bytes.copy());
    }
}
