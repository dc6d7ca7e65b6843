package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.replicate.BrickStore;
import io.quoin.replicate.MetaRecord;
import io.quoin.replicate.Payload;
import io.quoin.replicate.StoreResult;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.range.RangeLock;
import io.quoin.xlator.range.RangeLocks;
import java.util.BitSet;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One file of a brick: its data, its checksums, and its records in the brick's log. After a sync or
 * a write that failed everything fails until the log has that the cache was lost; then the data
 * file is opened anew.
 *
 * <p>Threading: confined(loop).
 */
final class StoredFile implements BrickStore {
    private static final Logger LOG = LoggerFactory.getLogger(StoredFile.class);

    private final StoreParts parts;
    private final UUID id;
    private final LazyFile data;
    private final LazyFile sums;
    private final WrittenBlocks written;
    private final ChecksumFile checksums;
    private final RangeLocks locks = new RangeLocks();
    private long sizeBytes;
    private boolean isLost;
    private boolean isEnded;

    /** A change of the data file. */
    private interface Change {
        void begin(XlatorFile file, Consumer<BlockError> done);
    }

    /**
     * @param active regions that a process before this one may have written to
     */
    StoredFile(StoreParts parts, UUID id, BitSet active) {
        this.parts = parts;
        this.id = id;
        this.data = new LazyFile(parts.below(), parts.loop(), dataName(id));
        this.sums = new LazyFile(parts.below(), parts.loop(), checksumName(id));
        this.written = new WrittenBlocks(parts.geometry(), parts.checksums(), active);
        this.checksums = new ChecksumFile(parts, data, sums, written, this::locked);
    }

    static String dataName(UUID id) {
        return id + ".data";
    }

    static String checksumName(UUID id) {
        return id + ".csum";
    }

    /** Learns the size, and ends a cut that a crash has left half done; false: it cannot. */
    void open(Consumer<Boolean> done) {
        data.use(
                file -> {
                    if (file == null) {
                        done.accept(false);
                        return;
                    }
                    sizeBytes = file.geometry().sizeBytes();
                    data.release();
                    checksums.cut(sizeBytes, done);
                });
    }

    /** Nothing is carried out or appended any more; what is under way ends. */
    void end() {
        isEnded = true;
    }

    /** Closes the files once they are not in use; false: a part may be lost. */
    void close(Consumer<Boolean> done) {
        end();
        data.closeForGood(
                failure -> sums.closeForGood(second -> done.accept(failure == null && !isLost)));
    }

    @Override
    public void append(MetaRecord record, Runnable durable) {
        if (isEnded) {
            return;
        }
        boolean recordsLoss = isLost && record instanceof MetaRecord.CacheLost;
        parts.log()
                .append(
                        parts.codec().change(id, record),
                        () -> {
                            if (recordsLoss && isLost) {
                                isLost = false;
                                data.renew();
                                parts.mark().end();
                            }
                            if (!isEnded) {
                                durable.run();
                            }
                        });
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public void write(long offsetBytes, Payload payload, Consumer<StoreResult> done) {
        int length = payload.lengthBytes();
        change(
                offsetBytes,
                length,
                length,
                payload,
                (file, ended) -> parts.io().write(file, offsetBytes, payload, IoFlags.NONE, ended),
                done);
    }

    @Override
    public void writeZeroes(
            long offsetBytes, int lengthBytes, boolean mayUnmap, Consumer<StoreResult> done) {
        int flags = mayUnmap ? IoFlags.MAY_UNMAP : IoFlags.NONE;
        change(
                offsetBytes,
                lengthBytes,
                mayUnmap ? 0 : lengthBytes,
                null,
                (file, ended) ->
                        parts.io().writeZeroes(file, offsetBytes, lengthBytes, flags, ended),
                done);
    }

    private void change(
            long offsetBytes,
            int lengthBytes,
            int takenBytes,
            @Nullable Payload content,
            Change change,
            Consumer<StoreResult> done) {
        if (isEnded) {
            return;
        }
        if (lengthBytes == 0) {
            parts.loop().execute(() -> done.accept(StoreResult.OK));
            return;
        }
        locked(
                offsetBytes,
                offsetBytes + lengthBytes - 1,
                true,
                unlock -> {
                    written.add(offsetBytes, lengthBytes);
                    Consumer<StoreResult> end =
                            result -> {
                                if (result == StoreResult.OK && content != null) {
                                    written.learn(offsetBytes, content);
                                }
                                unlock.run();
                                done.accept(result);
                            };
                    parts.space()
                            .admit(
                                    takenBytes,
                                    fits -> {
                                        if (fits) {
                                            perform(offsetBytes + lengthBytes, change, end);
                                        } else {
                                            later(end, StoreResult.NO_SPACE);
                                        }
                                    });
                });
    }

    private void perform(long endBytes, Change change, Consumer<StoreResult> end) {
        if (isLost) {
            later(end, StoreResult.FAILED);
            return;
        }
        data.use(
                file -> {
                    if (file == null) {
                        lose(false, () -> end.accept(StoreResult.FAILED));
                        return;
                    }
                    change.begin(
                            file,
                            error -> {
                                sizeBytes = Math.max(sizeBytes, file.geometry().sizeBytes());
                                data.release();
                                if (error.isOk()) {
                                    sizeBytes = Math.max(sizeBytes, endBytes);
                                    end.accept(StoreResult.OK);
                                } else if (error == BlockError.ENOSPC) {
                                    end.accept(StoreResult.NO_SPACE);
                                } else {
                                    LOG.error("write failed: file={}, error={}", id, error);
                                    lose(false, () -> end.accept(StoreResult.FAILED));
                                }
                            });
                });
    }

    private void later(Consumer<StoreResult> done, StoreResult result) {
        parts.loop().execute(() -> done.accept(result));
    }

    /** Runs {@code work} when what came before and overlaps has ended. */
    private void locked(long first, long last, boolean isAlone, Consumer<Runnable> work) {
        RangeLock[] lock = new RangeLock[1];
        Runnable begin =
                () -> {
                    RangeLock held = lock[0];
                    work.accept(() -> locks.release(held));
                };
        lock[0] = new RangeLock(begin);
        lock[0].range(first, last);
        lock[0].exclusive(isAlone);
        if (locks.acquire(lock[0])) {
            begin.run();
        }
    }

    /**
     * Something may be lost. The mark says so until the log does.
     *
     * @param isHeld whether the mark is held for it already
     */
    private void lose(boolean isHeld, Runnable then) {
        if (isLost) {
            if (isHeld) {
                parts.mark().end();
            }
            then.run();
            return;
        }
        isLost = true;
        written.forgetSums();
        if (isHeld) {
            then.run();
        } else {
            parts.mark().begin(then);
        }
    }

    @Override
    public void sync(Consumer<Boolean> done) {
        if (isEnded) {
            return;
        }
        if (isLost) {
            parts.loop().execute(() -> done.accept(false));
            return;
        }
        parts.mark()
                .begin(
                        () ->
                                data.use(
                                        file -> {
                                            if (file == null) {
                                                lose(true, () -> done.accept(false));
                                            } else {
                                                parts.io()
                                                        .flush(file, error -> synced(error, done));
                                            }
                                        }));
    }

    private void synced(BlockError error, Consumer<Boolean> done) {
        data.release();
        if (error.isOk() && !isLost) {
            parts.mark().end();
            done.accept(true);
        } else {
            LOG.error("sync failed: file={}, error={}", id, error);
            lose(true, () -> done.accept(false));
        }
    }

    @Override
    public void bind(BitSet regions, Consumer<Boolean> done) {
        if (!isEnded) {
            checksums.bind(regions, done);
        }
    }

    @Override
    public void read(long offsetBytes, int lengthBytes, Consumer<@Nullable Payload> done) {
        if (isEnded) {
            return;
        }
        if (lengthBytes == 0) {
            parts.loop().execute(() -> done.accept(Payload.EMPTY));
            return;
        }
        int block = parts.geometry().blockBytes();
        boolean isChecked = isBound(offsetBytes, lengthBytes);
        long first = isChecked ? offsetBytes / block * block : offsetBytes;
        long end = offsetBytes + lengthBytes;
        long last = isChecked ? (end + block - 1) / block * block : end;
        locked(
                first,
                last - 1,
                false,
                unlock ->
                        readAll(
                                first,
                                (int) (last - first),
                                isChecked,
                                blocks -> {
                                    unlock.run();
                                    int from = (int) (offsetBytes - first);
                                    done.accept(
                                            blocks == null
                                                    ? null
                                                    : blocks.slice(from, lengthBytes));
                                }));
    }

    /** Whether any block of the range has a checksum that is valid now. */
    private boolean isBound(long offsetBytes, int lengthBytes) {
        int block = parts.geometry().blockBytes();
        long end = offsetBytes + lengthBytes;
        for (long at = offsetBytes / block * block; at < end; at += block) {
            if (!written.contains(at)) {
                return true;
            }
        }
        return false;
    }

    private void readAll(
            long offsetBytes, int length, boolean isChecked, Consumer<@Nullable Payload> done) {
        data.use(
                file -> {
                    if (file == null) {
                        parts.loop().execute(() -> done.accept(null));
                        return;
                    }
                    parts.io()
                            .readPayload(
                                    file,
                                    offsetBytes,
                                    length,
                                    (error, bytes) -> {
                                        data.release();
                                        if (!error.isOk()) {
                                            LOG.error("read failed: file={}, {}", id, error);
                                            bytes.release();
                                            done.accept(null);
                                        } else if (isChecked) {
                                            check(offsetBytes, bytes, done);
                                        } else {
                                            done.accept(bytes);
                                        }
                                    });
                });
    }

    private void check(long offsetBytes, Payload bytes, Consumer<@Nullable Payload> done) {
        int block = parts.geometry().blockBytes();
        int count = bytes.lengthBytes() / block;
        BitSet unbound = new BitSet(); // as of now: a bind may end while they are read
        for (int i = 0; i < count; i++) {
            unbound.set(i, written.contains(offsetBytes + (long) i * block));
        }
        checksums.find(
                offsetBytes / block,
                count,
                stored -> {
                    boolean isGood = stored != null;
                    for (int i = 0; i < count && isGood; i++) {
                        long at = offsetBytes + (long) i * block;
                        isGood =
                                unbound.get(i)
                                        || written.contains(at)
                                        || parts.checksums().of(bytes, i * block) == stored[i];
                        if (!isGood) {
                            LOG.error("block is not what was bound: file={}, offset={}", id, at);
                        }
                    }
                    if (isGood) {
                        done.accept(bytes);
                    } else {
                        bytes.release();
                        done.accept(null);
                    }
                });
    }

    @Override
    public void resize(long newSizeBytes, Consumer<StoreResult> done) {
        if (isEnded) {
            return;
        }
        locked(
                0,
                Long.MAX_VALUE,
                true,
                unlock -> {
                    Consumer<StoreResult> end =
                            result -> {
                                unlock.run();
                                done.accept(result);
                            };
                    if (isLost) {
                        later(end, StoreResult.FAILED);
                    } else {
                        parts.mark().begin(() -> resizeMarked(newSizeBytes, end));
                    }
                });
    }

    /** Checksums behind the end are cut before the file can grow over them. */
    private void resizeMarked(long newSizeBytes, Consumer<StoreResult> end) {
        boolean isCut = newSizeBytes < sizeBytes;
        int block = parts.geometry().blockBytes();
        if (isCut) {
            written.forgetSums();
        }
        if (isCut && newSizeBytes % block != 0) {
            written.add(newSizeBytes / block * block, block);
        }
        data.use(
                file -> {
                    if (file == null) {
                        lose(true, () -> end.accept(StoreResult.FAILED));
                        return;
                    }
                    (isCut ? file.shrink(newSizeBytes) : file.resize(newSizeBytes))
                            .whenCompleteAsync(
                                    (none, failure) -> {
                                        sizeBytes = file.geometry().sizeBytes();
                                        data.release();
                                        if (failure == null) {
                                            checksums.cut(sizeBytes, ok -> resized(ok, end));
                                        } else {
                                            LOG.error("resize failed: file={}", id, failure);
                                            lose(true, () -> end.accept(StoreResult.FAILED));
                                        }
                                    },
                                    parts.loop());
                });
    }

    private void resized(boolean isDone, Consumer<StoreResult> end) {
        if (isDone) {
            parts.mark().end();
            end.accept(StoreResult.OK);
        } else {
            lose(true, () -> end.accept(StoreResult.FAILED));
        }
    }
}
