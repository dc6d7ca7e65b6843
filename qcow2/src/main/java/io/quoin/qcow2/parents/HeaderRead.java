package io.quoin.qcow2.parents;

import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;

/**
 * Reads what the headers of images name, one after the other.
 *
 * <p>Threading: confined(loop).
 */
final class HeaderRead {
    private static final int FIRST_BYTES = 4096;
    private static final int ALIGNMENT = 4096;

    private final Xlator subvolume;
    private final Loop loop;
    private final ByteBuffer first = BufferUtil.allocateDirectAligned(FIRST_BYTES, ALIGNMENT);

    HeaderRead(Xlator subvolume, Loop loop) {
        this.subvolume = subvolume;
        this.loop = loop;
    }

    /** Of a file that need be no image. */
    CompletionStage<HeaderReferences> read(String fileName) {
        return subvolume
                .open(fileName, OpenMode.READ_ONLY, loop)
                .thenComposeAsync( // the stage may be done already: then it would go on here
                        file -> ChildFiles.thenClose(file, open -> read(open, fileName)), loop);
    }

    private CompletionStage<HeaderReferences> read(XlatorFile file, String fileName) {
        ImageIo io = new ImageIo(file, loop, new ImageHealth(fileName, false));
        return read(io, first, FIRST_BYTES)
                .thenCompose(
                        bytes -> {
                            int needed = HeaderReferences.bytesNeeded(bytes);
                            return needed <= bytes.limit()
                                    ? CompletableFuture.completedFuture(bytes)
                                    : read(
                                            io,
                                            BufferUtil.allocateDirectAligned(needed, ALIGNMENT),
                                            needed);
                        })
                .thenApply(HeaderReferences::parse);
    }

    private static CompletionStage<ByteBuffer> read(ImageIo io, ByteBuffer target, int wanted) {
        int lengthBytes = (int) Math.min(wanted, io.fileSizeBytes());
        ByteBuffer bytes = target.duplicate().position(0).limit(lengthBytes);
        return lengthBytes < HeaderLayout.VERSION_2_BYTES
                ? CompletableFuture.completedFuture(bytes.limit(0))
                : ChildFiles.read(io, 0, bytes, lengthBytes, "header");
    }
}
