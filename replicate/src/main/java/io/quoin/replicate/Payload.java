package io.quoin.replicate;

import java.util.Arrays;

/** Bytes that no one changes any more. */
public final class Payload {
    private final byte[] bytes;

    private Payload(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Takes the array over, without a copy: the caller changes it no more. */
    public static Payload of(byte[] bytes) {
        return new Payload(bytes);
    }

    /** Count of bytes. */
    public int lengthBytes() {
        return bytes.length;
    }

    /** The bytes themselves, not to be changed. */
    public byte[] bytes() {
        return bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Payload payload && Arrays.equals(bytes, payload.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "Payload[lengthBytes=" + bytes.length + "]";
    }
}
