package io.quoin.block;

/**
 * Called once when a request has ended.
 *
 * <p>Threading: called on the device's owner loop.
 */
@FunctionalInterface
public interface IoCompletion {
    /**
     * The request has ended and belongs to this completion again. A layer that pushed itself on
     * another submitter's request passes it on by {@link IoRequest#complete}; the submitter
     * releases or reuses it.
     *
     * @param request the request, with its fields as they were when this completion was pushed
     * @param error how it ended
     */
    void onComplete(IoRequest request, BlockError error);
}
