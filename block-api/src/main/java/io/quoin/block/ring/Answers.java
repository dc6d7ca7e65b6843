package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One error for a chain of requests.
 *
 * <p>Threading: confined to the ring's owner.
 */
final class Answers {
    private Answers() {}

    /** Answers {@code first} and what is chained to it, the rest too where an answer throws. */
    static void toAll(
            @Nullable IoRequest first, BlockError error, BiConsumer<IoRequest, BlockError> answer) {
        IoRequest left = first;
        try {
            while (left != null) {
                IoRequest request = left;
                left = request.next();
                request.next(null);
                answer.accept(request, error);
            }
        } finally {
            if (left != null) {
                toAll(left, error, answer);
            }
        }
    }
}
