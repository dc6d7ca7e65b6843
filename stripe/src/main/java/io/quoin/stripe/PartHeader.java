package io.quoin.stripe;

import java.util.UUID;

/**
 * Which part of which striped file a file is. Written once, before the file gets its name.
 *
 * <p>Threading: immutable.
 *
 * @param fileId of the striped file; the same in all its parts and under any name
 * @param part its number, from 0
 * @param count how many parts the striped file has
 * @param blockBytes the size of its blocks
 */
record PartHeader(UUID fileId, int part, int count, long blockBytes) {
    StripeMap map() {
        return new StripeMap(count, blockBytes);
    }
}
