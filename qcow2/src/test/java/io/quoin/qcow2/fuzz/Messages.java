package io.quoin.qcow2.fuzz;

import io.quoin.block.BlockException;

/** What every refusal has to be: told, short, and in characters that a terminal can bear. */
final class Messages {
    private static final int LENGTH_MAX = 5000;

    private Messages() {}

    static void check(BlockException refusal) {
        String message = String.valueOf(refusal.getMessage());
        if (message.length() < 8 || message.length() > LENGTH_MAX) {
            throw new AssertionError("message of " + message.length() + " characters", refusal);
        }
    }
}
