package io.quoin.replicate.store;

import io.quoin.block.IoFlags;
import io.quoin.replicate.Geometry;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checksums of a file: they are bound, a region at a time and one bind after another, and
 * looked up.
 *
 * <p>Threading: confined(loop).
 */
final class ChecksumFile {
    private static final Logger LOG = LoggerFactory.getLogger(ChecksumFile.class);

    private final StoreParts parts;
    private final LazyFile data;
    private final LazyFile sums;
    private final WrittenBlocks written;
    private final Lock lock;
    private final Deque<Bind> binds = new ArrayDeque<>();

    /** Keeps requests of the data apart. */
    interface Lock {
        /** Runs {@code work} with what unlocks the range, once what overlaps has ended. */
        void locked(long firstByte, long lastByte, boolean isAlone, Consumer<Runnable> work);
    }

    private record Bind(BitSet regions, Consumer<Boolean> done) {}

    ChecksumFile(StoreParts parts, LazyFile data, LazyFile sums, WrittenBlocks written, Lock lock) {
        this.parts = parts;
        this.data = data;
        this.sums = sums;
        this.written = written;
        this.lock = lock;
    }

    void bind(BitSet regions, Consumer<Boolean> done) {
        binds.add(new Bind((BitSet) regions.clone(), done));
        if (binds.size() == 1) {
            parts.loop().execute(() -> bindFrom(0));
        }
    }

    private void bindFrom(int from) {
        int region = binds.element().regions.nextSetBit(from);
        if (region < 0) {
            sync();
            return;
        }
        long start = region * parts.geometry().regionBytes();
        lock.locked(
                start,
                start + parts.geometry().regionBytes() - 1,
                false,
                unlock -> parts.loop().execute(() -> bindLocked(region, unlock)));
    }

    /** No write to the region is under way: each is either in the data, or not begun. */
    private void bindLocked(int region, Runnable unlock) {
        WrittenBlocks.Region blocks = written.beginBind(region);
        if (blocks == null) {
            unlock.run();
            bindFrom(region + 1);
            return;
        }
        BitSet unknown = blocks.unknown();
        if (unknown.isEmpty()) {
            store(region, blocks.blocks(), known(blocks), unlock);
            return;
        }
        data.use(
                file -> {
                    if (file == null) {
                        unlock.run();
                        end(false);
                    } else {
                        sum(file, region, blocks, unknown, unlock);
                    }
                });
    }

    /** From the first of the blocks to the last; 0 for those that are not known. */
    private static int[] known(WrittenBlocks.Region region) {
        BitSet unknown = region.unknown();
        int first = region.blocks().nextSetBit(0);
        int[] sums = new int[region.blocks().length() - first];
        region.blocks().stream()
                .filter(block -> !unknown.get(block))
                .forEach(block -> sums[block - first] = region.sum(block));
        return sums;
    }

    private void sum(
            XlatorFile file,
            int region,
            WrittenBlocks.Region written,
            BitSet unknown,
            Runnable unlock) {
        Geometry geometry = parts.geometry();
        int first = unknown.nextSetBit(0);
        int count = unknown.length() - first;
        long start = region * geometry.regionBytes() + (long) first * geometry.blockBytes();
        int[] sums = known(written);
        int offset = first - written.blocks().nextSetBit(0);
        parts.io()
                .read(
                        file,
                        start,
                        count * geometry.blockBytes(),
                        (error, bytes) -> {
                            for (int i = 0; i < count; i++) {
                                if (unknown.get(first + i)) {
                                    sums[offset + i] =
                                            parts.checksums().of(bytes, i * geometry.blockBytes());
                                }
                            }
                            data.release();
                            if (!error.isOk()) {
                                unlock.run();
                                end(false);
                                return;
                            }
                            store(region, written.blocks(), sums, unlock);
                        });
    }

    /**
     * The checksums between those of {@code blocks} stay as they are. The region is locked until
     * they are in the file: a cut must not find them on their way.
     */
    private void store(int region, BitSet blocks, int[] computed, Runnable unlock) {
        int first = blocks.nextSetBit(0);
        long firstBlock =
                region * (parts.geometry().regionBytes() / parts.geometry().blockBytes()) + first;
        find(
                firstBlock,
                computed.length,
                found -> {
                    if (found == null) {
                        unlock.run();
                        end(false);
                        return;
                    }
                    ByteBuffer all = ByteBuffer.allocate(computed.length * Checksums.BYTES);
                    for (int i = 0; i < computed.length; i++) {
                        all.putInt(blocks.get(first + i) ? computed[i] : found[i]);
                    }
                    write(
                            firstBlock,
                            all.array(),
                            isWritten -> {
                                unlock.run();
                                if (isWritten) {
                                    bindFrom(region + 1);
                                } else {
                                    end(false);
                                }
                            });
                });
    }

    private void write(long firstBlock, byte[] content, Consumer<Boolean> done) {
        sums.use(
                file -> {
                    if (file == null) {
                        done.accept(false);
                        return;
                    }
                    parts.io()
                            .write(
                                    file,
                                    firstBlock * Checksums.BYTES,
                                    content,
                                    IoFlags.NONE,
                                    error -> {
                                        sums.release();
                                        done.accept(error.isOk());
                                    });
                });
    }

    private void sync() {
        sums.use(
                file -> {
                    if (file == null) {
                        end(false);
                        return;
                    }
                    parts.io()
                            .flush(
                                    file,
                                    error -> {
                                        sums.release();
                                        end(error.isOk());
                                    });
                });
    }

    private void end(boolean isBound) {
        written.endBind(isBound);
        if (!isBound) {
            LOG.warn("checksums cannot be bound: regions={}", binds.element().regions);
            sums.renew();
        }
        Bind ended = binds.remove();
        if (!binds.isEmpty()) {
            parts.loop().execute(() -> bindFrom(0));
        }
        ended.done.accept(isBound);
    }

    /** The stored checksums of blocks one after another; null if they cannot be read. */
    void find(long firstBlock, int count, Consumer<int @Nullable []> done) {
        sums.use(
                file -> {
                    if (file == null) {
                        done.accept(null);
                        return;
                    }
                    parts.io()
                            .read(
                                    file,
                                    firstBlock * Checksums.BYTES,
                                    count * Checksums.BYTES,
                                    (error, bytes) -> {
                                        int[] found = new int[count];
                                        bytes.asIntBuffer().get(found);
                                        sums.release();
                                        done.accept(error.isOk() ? found : null);
                                    });
                });
    }

    /** Cuts off the checksums of what lies behind the end of the data; durable when done. */
    void cut(long dataBytes, Consumer<Boolean> done) {
        int blockBytes = parts.geometry().blockBytes();
        long bytes = (dataBytes + blockBytes - 1) / blockBytes * Checksums.BYTES;
        sums.use(
                file -> {
                    if (file == null) {
                        done.accept(false);
                    } else if (file.geometry().sizeBytes() <= bytes) {
                        sums.release();
                        done.accept(true);
                    } else {
                        file.shrink(bytes)
                                .whenCompleteAsync(
                                        (none, failure) -> {
                                            sums.release();
                                            if (failure != null) {
                                                LOG.warn(
                                                        "checksums cannot be cut",
                                                        Stages.asBlockException(failure));
                                                sums.renew();
                                            }
                                            done.accept(failure == null);
                                        },
                                        parts.loop());
                    }
                });
    }
}
