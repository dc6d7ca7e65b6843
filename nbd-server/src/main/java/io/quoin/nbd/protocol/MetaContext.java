package io.quoin.nbd.protocol;

/**
 * The metadata contexts that are offered, of which there is one: {@code base:allocation}.
 *
 * <p>Threading: immutable.
 */
public final class MetaContext {
    public static final String BASE_ALLOCATION = "base:allocation";

    /** The namespace, which as a query of a list asks for all that is in it. */
    public static final String BASE = "base:";

    /** Its id once selected. */
    public static final int BASE_ALLOCATION_ID = 1;

    private MetaContext() {}
}
