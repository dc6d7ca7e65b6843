package io.quoin.xlator;

/**
 * Something that has happened to an open file, or to what it stands on.
 *
 * <p>Threading: immutable.
 *
 * @param node the node of the graph that it happened to
 * @param text for a person: which child, what size, why
 */
public record FileEvent(Kind kind, String node, String text) {
    /** What has happened. */
    public enum Kind {
        /** A child answers again. */
        CHILD_UP,
        /** A child does not answer any more. */
        CHILD_DOWN,
        /** The size is another one, by a resize. */
        RESIZED,
        /** Nothing is written any more: another writer has taken over, or the program is wrong. */
        FENCED,
        /** The storage has refused a change, or is about to, for lack of space. */
        SPACE_LOW,
        /** {@link XlatorFile#capabilities} are to be asked for anew. */
        CAPABILITIES_CHANGED
    }
}
