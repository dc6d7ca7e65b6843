package io.quoin.block;

/**
 * What keeps the memory of a request's payload alive. A layer that goes on reading the payload
 * after it has completed the request (a replica that is slow, a resend) retains the lease before it
 * completes, and releases it once for each time, on the loop of the request.
 *
 * <p>While it is retained the bytes stay as they are.
 *
 * <p>Threading: confined to the owner loop of the request.
 */
public interface MemoryLease {
    void retain();

    void release();
}
