package io.quoin.block;

/**
 * Anything that holds blocks: a file of a brick, a disk image, a disk.
 *
 * <p>Threading: confined to its owner loop. Other threads reach a disk through its {@code ring}.
 */
public interface BlockDevice {
    /** The present sizes. */
    Geometry geometry();

    /** What it can do; constant while it is open. */
    Capabilities capabilities();

    /**
     * Starts a request. Its completion is called exactly once, on the owner loop, possibly before
     * this method returns, so a caller that goes on to the next request from a completion must do
     * so in a loop, not by recursion. Until then the request and its memory belong to the device.
     * Requests may be carried out in any order: a caller that needs an order waits for the first
     * completion. Overlapping writes in flight end, sector by sector, as one of them.
     *
     * <p>Never throws for an operating error: those are passed to the completion.
     */
    void submit(IoRequest request);
}
