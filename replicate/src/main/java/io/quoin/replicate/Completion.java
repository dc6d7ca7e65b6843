package io.quoin.replicate;

import org.jspecify.annotations.Nullable;

/** Takes the end of a guest's operation. */
@FunctionalInterface
public interface Completion {
    /**
     * The operation has ended.
     *
     * @param data what was read; null for every other operation or outcome
     */
    void complete(Outcome outcome, @Nullable Payload data);
}
