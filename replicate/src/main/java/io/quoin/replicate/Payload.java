package io.quoin.replicate;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that no one changes any more. Those in memory of a {@link PayloadPool} are there until they
 * are released, which only an owner does that knows of no other one: see {@link #release}.
 *
 * <p>Threading: thread-safe.
 */
public final class Payload {
    /** None. */
    public static final Payload EMPTY = of(new byte[0]);

    private static final long UNKNOWN = -1;

    private final ByteBuffer bytes;
    private final byte @Nullable [] array;
    private final @Nullable Lent lent;
    private volatile long crc = UNKNOWN;

    /** Memory of a pool, until it is given back. */
    private static final class Lent {
        private final PayloadPool pool;
        private final AtomicReference<@Nullable ByteBuffer> memory;

        Lent(PayloadPool pool, ByteBuffer memory) {
            this.pool = pool;
            this.memory = new AtomicReference<>(memory);
        }

        void giveBack() {
            ByteBuffer last = memory.getAndSet(null);
            if (last != null) {
                pool.release(last);
            }
        }
    }

    private Payload(ByteBuffer bytes, byte @Nullable [] array, @Nullable Lent lent) {
        this.bytes = bytes;
        this.array = array;
        this.lent = lent;
    }

    /** Takes the array over, without a copy: the caller changes it no more. */
    public static Payload of(byte[] bytes) {
        return new Payload(ByteBuffer.wrap(bytes), bytes, null);
    }

    /**
     * Takes memory over, from its start to its limit, without a copy.
     *
     * @param pool that it was acquired from
     */
    public static Payload of(ByteBuffer memory, PayloadPool pool) {
        return new Payload(memory.duplicate().position(0), null, new Lent(pool, memory));
    }

    /** A part of it, in the same memory: of all parts and the whole only one is released. */
    public Payload slice(int from, int lengthBytes) {
        return from == 0 && lengthBytes == lengthBytes()
                ? this
                : new Payload(bytes.slice(from, lengthBytes), null, lent);
    }

    /** Count of bytes. */
    public int lengthBytes() {
        return bytes.limit();
    }

    /** A view of the bytes, at their start; not to be changed. */
    public ByteBuffer buffer() {
        return bytes.duplicate();
    }

    /** Whether it has an address. */
    public boolean isDirect() {
        return bytes.isDirect();
    }

    /** The bytes as an array, not to be changed: a copy, where there is none. */
    public byte[] bytes() {
        if (array != null) {
            return array;
        }
        byte[] copy = new byte[lengthBytes()];
        buffer().get(copy);
        return copy;
    }

    /** Their CRC32C, computed once. */
    public int crc() {
        long known = crc;
        if (known == UNKNOWN) {
            CRC32C sum = new CRC32C();
            sum.update(buffer());
            known = sum.getValue();
            crc = known;
        }
        return (int) known;
    }

    /**
     * Gives its memory back: neither it, nor a part of it, nor a view is used from now on. That of
     * an array is left to the collector, as is all that is never released.
     */
    public void release() {
        if (lent != null) {
            lent.giveBack();
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Payload payload && bytes.equals(payload.bytes);
    }

    @Override
    public int hashCode() {
        return bytes.hashCode();
    }

    @Override
    public String toString() {
        return "Payload[lengthBytes=" + lengthBytes() + "]";
    }
}
