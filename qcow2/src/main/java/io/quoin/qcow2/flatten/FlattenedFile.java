package io.quoin.qcow2.flatten;

/**
 * An open file that can be made independent of what it stands on.
 *
 * <p>Threading: confined(loop).
 */
public interface FlattenedFile {
    /** Its flattening, for as long as it is open. */
    FlattenControl flatten();
}
