package io.quoin.qcow2.refcount;

/**
 * A look at the refcounts while no other task is half done.
 *
 * <p>Threading: confined(loop).
 */
final class LookTask extends RefcountTask {
    private final Runnable look;

    LookTask(RefcountBlocks blocks, Runnable look) {
        super(blocks);
        this.look = look;
    }

    @Override
    protected boolean work() {
        look.run();
        return false;
    }
}
