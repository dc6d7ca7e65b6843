package io.quoin.xlator;

/**
 * Hears of what happens to an open file. Called on the file's loop, by a task of its own: never
 * from inside a call of the file, and not after the file has been closed.
 *
 * <p>Threading: confined(loop).
 */
@FunctionalInterface
public interface FileListener {
    /** For a caller that does not want to hear of anything. */
    FileListener NONE = event -> {};

    void onEvent(FileEvent event);
}
