package io.quoin.management.assemble;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.store.BrickImage;
import io.quoin.replicate.store.CopyImage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A file with a current copy on one or more bricks: read from the first of them, and a block that
 * is corrupt there from the next.
 */
final class CopiesFile implements SourceFile {
    private static final int BLOCK_BYTES = 4096;

    private final String name;
    private final List<CopyImage> copies;

    private CopiesFile(String name, List<CopyImage> copies) {
        this.name = name;
        this.copies = List.copyOf(copies);
    }

    /**
     * @param bricks those with a current copy; at least one
     */
    static CopiesFile open(String name, UUID file, List<BrickImage> bricks) {
        List<CopyImage> opened = new ArrayList<>();
        try {
            bricks.forEach(brick -> opened.add(brick.open(file)));
        } catch (RuntimeException e) {
            opened.forEach(CopyImage::close);
            throw e;
        }
        return new CopiesFile(name, opened);
    }

    /** As many bytes as whole blocks have that hold so many. */
    static int wholeBlocks(int bytes) {
        return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    @Override
    public long sizeBytes() {
        return copies.get(0).sizeBytes();
    }

    @Override
    public void read(long offsetBytes, ByteBuffer into) {
        long from = offsetBytes / BLOCK_BYTES * BLOCK_BYTES;
        int skipped = (int) (offsetBytes - from);
        ByteBuffer blocks = ByteBuffer.allocate(wholeBlocks(skipped + into.remaining()));
        if (copies.get(0).read(from, blocks) >= 0) {
            for (int at = 0; at < blocks.capacity(); at += BLOCK_BYTES) {
                readBlock(from + at, blocks.limit(at + BLOCK_BYTES).position(at));
            }
        }
        blocks.limit(skipped + into.remaining()).position(skipped);
        into.put(blocks);
    }

    private void readBlock(long offsetBytes, ByteBuffer into) {
        int start = into.position();
        for (CopyImage copy : copies) {
            if (copy.read(offsetBytes, into.position(start)) < 0) {
                return;
            }
        }
        throw new BlockException(
                BlockError.EIO,
                "block is corrupt in every current copy: file="
                        + name
                        + ", offset="
                        + offsetBytes
                        + ", copies="
                        + copies.size());
    }

    @Override
    public void close() {
        copies.forEach(CopyImage::close);
    }
}
