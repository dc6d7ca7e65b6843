package io.quoin.management.http;

/**
 * Answers requests.
 *
 * <p>Threading: thread-safe; may block.
 */
@FunctionalInterface
public interface HttpService {
    /** Every failure is an answer too. */
    HttpAnswer answer(HttpCall call);
}
