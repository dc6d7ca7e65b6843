package io.quoin.qcow2.catalogue;

import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Reads headers: of most the first 4 KiB of the file, of others as much of the first cluster as
 * they fill. Where there are snapshots it reads their table too.
 *
 * <p>Threading: confined(loop).
 */
final class HeaderRead {
    private static final int FIRST_BYTES = 4096;

    private final Xlator subvolume;
    private final Loop loop;

    HeaderRead(Xlator subvolume, Loop loop) {
        this.subvolume = subvolume;
        this.loop = loop;
    }

    /** Of a file that need be no image; fails only if it cannot be read. */
    CompletionStage<ImageHeader> read(String fileName) {
        return subvolume
                .open(fileName, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync( // the stage may be done already: then it would go on here
                        file -> ChildFiles.thenClose(file, open -> read(open, fileName)), loop);
    }

    private CompletionStage<ImageHeader> read(XlatorFile file, String fileName) {
        ImageIo io = new ImageIo(file, loop, new ImageHealth(fileName, false));
        long fileSizeBytes = io.fileSizeBytes();
        return read(io, (int) Math.min(FIRST_BYTES, fileSizeBytes))
                .thenCompose(
                        first -> {
                            long needed = Math.min(bytesNeeded(first), fileSizeBytes);
                            return needed <= first.limit()
                                    ? CompletableFuture.completedFuture(first)
                                    : read(io, (int) needed);
                        })
                .thenCompose(bytes -> parse(io, fileName, bytes));
    }

    private static CompletionStage<ImageHeader> parse(
            ImageIo io, String fileName, ByteBuffer bytes) {
        ImageHeader header = ImageHeader.parse(fileName, bytes, io.fileSizeBytes());
        return header.hasSnapshots()
                ? SnapshotsRead.read(io, Qcow2Header.parse(bytes, io.fileSizeBytes()))
                        .thenApply(header::withSnapshots)
                : CompletableFuture.completedFuture(header);
    }

    private static int bytesNeeded(ByteBuffer first) {
        int ofReferences = HeaderReferences.bytesNeeded(first);
        try {
            return Math.max(ofReferences, HeaderLayout.bytesNeeded(first));
        } catch (BlockException e) {
            return ofReferences; // no image: the same is found in what there is
        }
    }

    private static CompletionStage<ByteBuffer> read(ImageIo io, int lengthBytes) {
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(ByteBuffer.allocate(0));
        }
        TransferMemory memory = new TransferMemory(lengthBytes);
        return ChildFiles.read(io, 0, memory.bytes(), lengthBytes, "header")
                .thenApply(bytes -> ByteBuffer.allocate(lengthBytes).put(bytes).flip())
                .whenComplete((bytes, failure) -> memory.close());
    }
}
