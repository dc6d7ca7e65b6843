package io.quoin.block;

/**
 * Checks for programmer errors. They stay on in production: a state that cannot be must not go on
 * to write.
 *
 * <p>Threading: immutable.
 */
public final class Invariant {
    /** Whether costly checks run too: {@code -Dquoin.checks=all}; on in every test. */
    public static final boolean COSTLY = "all".equals(System.getProperty("quoin.checks"));

    private Invariant() {}

    /**
     * Throws {@link AssertionError} with {@code message} unless {@code holds}. Keep the message a
     * constant.
     */
    public static void check(boolean holds, String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }
}
