package io.quoin.qcow2.check;

/**
 * Something was found while tables were read in parallel: the pass is made again in order, so that
 * findings, counts and repairs do not depend on the number of threads.
 *
 * <p>Threading: immutable.
 */
final class FindingException extends RuntimeException {
    /** Every finding is one. */
    static final CheckListener LISTENER =
            new CheckListener() {
                @Override
                public void finding(String text) {
                    throw new FindingException();
                }
            };

    private static final long serialVersionUID = 1;

    FindingException() {
        super("irregular image", null, false, false);
    }
}
