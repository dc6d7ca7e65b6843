package io.quoin.replicate;

import java.util.Arrays;

/** The immutable content of one block. */
public final class BlockData {
    private final byte[] bytes;

    /** Copies {@code bytes}. */
    public BlockData(byte[] bytes) {
        this.bytes = bytes.clone();
    }

    /** A copy of the content. */
    public byte[] toBytes() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockData data && Arrays.equals(bytes, data.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
