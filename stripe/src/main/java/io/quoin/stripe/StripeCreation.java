package io.quoin.stripe;

import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * Makes the parts of a new file, under the name of one that is not linked. They are whole and
 * durable when that is done.
 *
 * <p>Threading: thread-safe.
 */
final class StripeCreation {
    private final Children children;
    private final long blockBytes;
    private final LoopGroup loops;

    StripeCreation(Children children, long blockBytes, LoopGroup loops) {
        this.children = children;
        this.blockBytes = blockBytes;
        this.loops = loops;
    }

    CompletionStage<Void> make(UUID fileId, CreateOptions options) {
        return children.callAll(part -> make(fileId, part, options)).thenApply(all -> null);
    }

    private CompletionStage<Void> make(UUID fileId, int part, CreateOptions options) {
        PartHeader header = new PartHeader(fileId, part, children.count(), blockBytes);
        long shareBytes = header.map().shareBytes(part, options.sizeBytes());
        CreateOptions ofPart =
                new CreateOptions(PartHeaderLayout.DATA_OFFSET + shareBytes, options.options());
        Xlator child = children.get(part);
        String unlinked = UnlinkedNames.of(fileId);
        Loop loop = loops.next();
        return child.create(unlinked, ofPart)
                .thenCompose(none -> child.open(unlinked, OpenOptions.READ_WRITE, loop))
                .thenComposeAsync(
                        file -> Stages.thenClose(file, () -> write(file, header, loop)), loop);
    }

    private static CompletionStage<Void> write(XlatorFile file, PartHeader header, Loop loop) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(PartHeaderLayout.WRITE_BYTES);
        PartHeaderLayout.put(bytes, header);
        return PartIo.write(file, loop, 0, bytes);
    }
}
