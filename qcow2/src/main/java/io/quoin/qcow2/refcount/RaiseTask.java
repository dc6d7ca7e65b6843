package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;

/**
 * Adds references to clusters that have a count already, as compressed clusters that share one do.
 * Nothing points there by these references yet; they are on disk, with the data, before an entry
 * that does is.
 *
 * <pre>
 *  RAISE   the counts in memory
 *  WRITE   the refcount blocks; the caller flushes. Left out where only the order matters.
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class RaiseTask extends RefcountTask {
    private final Raises raises;
    private boolean write;
    private int next;

    RaiseTask(RefcountBlocks blocks, Raises raises, boolean write) {
        super(blocks);
        this.raises = raises;
        this.write = write;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            if (next < raises.size()) {
                blocks.io().health().fence("refcount block cannot be read", error());
            }
            return false;
        }
        if (next < raises.size()) {
            raise();
            return true;
        }
        if (write) {
            write = false;
            await();
            blocks.writeBlocks(this::answer);
            return true;
        }
        return false;
    }

    private void raise() {
        long cluster = raises.cluster(next);
        if (!blocks.hasBlock(cluster)) {
            uncounted(cluster);
            return;
        }
        Slice slice = sliceOf(cluster);
        if (slice == null) {
            return;
        }
        long count = blocks.count(slice, cluster);
        if (count == 0) {
            uncounted(cluster);
            return;
        }
        if (raises.added(next) > 0) {
            blocks.setCount(slice, cluster, count + raises.added(next));
        }
        next++;
    }

    private void uncounted(long cluster) {
        blocks.io()
                .health()
                .corrupt("refcount of a used cluster", cluster << blocks.clusterBits(), 0);
        fail(BlockError.EIO);
    }
}
