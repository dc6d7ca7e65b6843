package io.quoin.qcow2.layout;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Bytes that are kept as they are: what a newer writer put there and this one does not understand.
 *
 * <p>Threading: immutable.
 */
public final class OpaqueBytes {
    public static final OpaqueBytes EMPTY = new OpaqueBytes(new byte[0]);

    private final byte[] bytes;

    private OpaqueBytes(byte[] bytes) {
        this.bytes = bytes;
    }

    public static OpaqueBytes copyOf(byte[] source) {
        return new OpaqueBytes(source.clone());
    }

    /** The bytes of {@code source} from {@code index} on; its position stays as it is. */
    static OpaqueBytes copyOf(ByteBuffer source, int index, int lengthBytes) {
        byte[] copy = new byte[lengthBytes];
        source.get(index, copy);
        return new OpaqueBytes(copy);
    }

    public int lengthBytes() {
        return bytes.length;
    }

    public byte[] toArray() {
        return bytes.clone();
    }

    /** A read-only big-endian view. */
    public ByteBuffer toBuffer() {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    void putInto(ByteBuffer target) {
        target.put(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OpaqueBytes that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return bytes.length + " bytes";
    }
}
