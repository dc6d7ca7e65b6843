package io.quoin.testkit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoVector;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A brick in memory: sparse files that grow, down to single bytes, with holes that come and go. It
 * knows of each file whether everything written has been flushed.
 *
 * <p>Threading: thread-safe.
 */
public final class MemoryXlator implements Xlator {
    /** Its type in a volfile. */
    public static final String TYPE = "testkit/memory";

    private static final int NAME_BYTES_MAX = 255;

    /** What it says that there is: the same on every machine. */
    private static final long SIZE_BYTES = 1L << 40;

    private final String name;
    private final boolean direct;
    private final SortedMap<String, StoredFile> files;

    /** One that completes requests before {@code submit} returns. */
    public MemoryXlator(String name) {
        this(name, true);
    }

    /**
     * @param direct whether requests complete before {@code submit} returns, or in a later task of
     *     the loop
     */
    public MemoryXlator(String name, boolean direct) {
        this(name, direct, new TreeMap<>());
    }

    private MemoryXlator(String name, boolean direct, SortedMap<String, StoredFile> files) {
        this.name = name;
        this.direct = direct;
        this.files = files;
    }

    /** Another one with copies of the files as they are now, none of them open. */
    public synchronized MemoryXlator copy() {
        TreeMap<String, StoredFile> copies = new TreeMap<>();
        files.forEach((fileName, stored) -> copies.put(fileName, stored.copy()));
        return new MemoryXlator(name, direct, copies);
    }

    /** Whether a file has changes that no flush has covered. */
    public boolean isUnflushed(String fileName) {
        return find(fileName).isUnflushed();
    }

    /** Flushes of a file so far, FUA writes included. */
    public long flushCount(String fileName) {
        return find(fileName).flushCount();
    }

    /** The whole content of a file, or as much as an array holds. */
    public byte[] content(String fileName) {
        StoredFile stored = find(fileName);
        synchronized (stored) {
            int length = Math.toIntExact(stored.sizeBytes());
            byte[] content = new byte[length];
            if (length > 0) {
                UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(length));
                IoVector memory = new IoVector();
                memory.add(buffer, 0, length);
                stored.bytes().read(0, memory);
                buffer.getBytes(0, content);
            }
            return content;
        }
    }

    /** Puts a file with this content in place, instead of one of the same name that is not open. */
    public synchronized void put(String fileName, byte[] content) {
        StoredFile present = files.get(fileName);
        if (present != null && present.isOpen()) {
            throw failure(BlockError.EBUSY, "file is open", fileName);
        }
        StoredFile stored = new StoredFile(content.length);
        if (content.length > 0) {
            UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(content.length));
            buffer.putBytes(0, content);
            IoVector memory = new IoVector();
            memory.add(buffer, 0, content.length);
            try {
                stored.bytes().write(0, memory);
            } finally {
                // The vector has only its address: it must not be collected meanwhile.
                Reference.reachabilityFence(buffer);
            }
        }
        files.put(fileName, stored);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public List<Xlator> subvolumes() {
        return List.of();
    }

    @Override
    public synchronized CompletionStage<List<FileInfo>> list() {
        List<FileInfo> infos = new ArrayList<>();
        files.forEach((fileName, stored) -> infos.add(info(fileName, stored)));
        return CompletableFuture.completedFuture(List.copyOf(infos));
    }

    @Override
    public synchronized CompletionStage<StorageSpace> statfs() {
        long used = files.values().stream().mapToLong(StoredFile::allocatedBytes).sum();
        return CompletableFuture.completedFuture(new StorageSpace(SIZE_BYTES, SIZE_BYTES - used));
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return answer(() -> info(fileName, find(fileName)));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return perform(
                () -> {
                    checkName(fileName);
                    // Memory is all there at once, whatever of it is to be reserved.
                    if (!Set.of("preallocation").containsAll(options.options().keySet())) {
                        throw failure(
                                BlockError.EINVAL,
                                "unknown create options " + options.options().keySet(),
                                fileName);
                    }
                    if (options.sizeBytes() < 0) {
                        throw failure(BlockError.EINVAL, "negative size", fileName);
                    }
                    checkAbsent(fileName);
                    files.put(fileName, new StoredFile(options.sizeBytes()));
                });
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        opened.complete(openNow(fileName, options.mode(), loop));
                    } catch (BlockException e) {
                        opened.completeExceptionally(e);
                    }
                });
        return opened;
    }

    private synchronized XlatorFile openNow(String fileName, OpenMode mode, Loop loop) {
        checkName(fileName);
        StoredFile stored = find(fileName);
        if (mode == OpenMode.READ_ONLY) {
            stored.openForReading();
        } else if (!stored.openForWriting()) {
            throw failure(BlockError.EBUSY, "file is open for writing already", fileName);
        }
        return new MemoryFile(this, stored, fileName, mode, loop, direct);
    }

    void closed(StoredFile stored, OpenMode mode) {
        if (mode == OpenMode.READ_ONLY) {
            stored.closeReader();
        } else {
            stored.flushed();
            stored.closeWriter();
        }
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return perform(
                () -> {
                    checkName(fileName);
                    checkName(newFileName);
                    StoredFile stored = find(fileName);
                    checkAbsent(newFileName);
                    files.remove(fileName);
                    files.put(newFileName, stored);
                });
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return perform(
                () -> {
                    checkName(fileName);
                    checkName(byFileName);
                    StoredFile stored = find(byFileName);
                    if (find(fileName).isOpen() || stored.isOpen()) {
                        throw failure(BlockError.EBUSY, "file is open", fileName);
                    }
                    files.remove(byFileName);
                    files.put(fileName, stored);
                });
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return perform(
                () -> {
                    checkName(fileName);
                    if (find(fileName).isOpen()) {
                        throw failure(BlockError.EBUSY, "file is open", fileName);
                    }
                    files.remove(fileName);
                });
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.completedFuture(null);
    }

    private synchronized StoredFile find(String fileName) {
        StoredFile stored = files.get(fileName);
        if (stored == null) {
            throw failure(BlockError.ENOENT, "no such file", fileName);
        }
        return stored;
    }

    private void checkAbsent(String fileName) {
        if (files.containsKey(fileName)) {
            throw failure(BlockError.EEXIST, "file exists already", fileName);
        }
    }

    private static void checkName(String fileName) {
        int lengthBytes = fileName.getBytes(StandardCharsets.UTF_8).length;
        boolean isPlain = fileName.indexOf('/') < 0 && fileName.indexOf('\0') < 0;
        boolean isDots = fileName.equals(".") || fileName.equals("..");
        if (lengthBytes == 0 || lengthBytes > NAME_BYTES_MAX || !isPlain || isDots) {
            throw failure(BlockError.EINVAL, "not a file name", fileName);
        }
    }

    private static FileInfo info(String fileName, StoredFile stored) {
        return new FileInfo(
                fileName, stored.sizeBytes(), stored.allocatedBytes(), stored.fileId(), 0);
    }

    private synchronized CompletionStage<Void> perform(Runnable work) {
        try {
            work.run();
            return CompletableFuture.completedFuture(null);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private synchronized <T> CompletionStage<T> answer(java.util.function.Supplier<T> question) {
        try {
            return CompletableFuture.completedFuture(question.get());
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static BlockException failure(BlockError error, String what, String fileName) {
        return new BlockException(error, what + ": name=" + fileName);
    }
}
