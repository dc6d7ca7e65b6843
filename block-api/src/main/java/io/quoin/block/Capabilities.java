package io.quoin.block;

/**
 * What a device can do; asked for, never guessed.
 *
 * <p>Threading: immutable.
 */
public final class Capabilities {
    private static final int CHANGES =
            bit(Capability.WRITE)
                    | bit(Capability.DISCARD)
                    | bit(Capability.FAST_ZERO)
                    | bit(Capability.GROW)
                    | bit(Capability.WRITE_COMPRESSED);

    /** Everything but to grow and to compress: a disk in memory, for example. */
    public static final Capabilities DISK =
            of(
                    Capability.WRITE,
                    Capability.FUA,
                    Capability.DISCARD,
                    Capability.FAST_ZERO,
                    Capability.MULTI_CONN);

    private final int bits;

    private Capabilities(int bits) {
        this.bits = bits;
    }

    /** Of a device that can do these and no more. */
    public static Capabilities of(Capability... all) {
        int bits = 0;
        for (Capability one : all) {
            bits |= bit(one);
        }
        return new Capabilities(bits);
    }

    @SuppressWarnings("EnumOrdinal") // bits of this process, never stored or sent
    private static int bit(Capability one) {
        return 1 << one.ordinal();
    }

    public boolean has(Capability one) {
        return (bits & bit(one)) != 0;
    }

    /** The same with or without one of them. */
    public Capabilities with(Capability one, boolean present) {
        return new Capabilities(present ? bits | bit(one) : bits & ~bit(one));
    }

    /** The same without one of them. */
    public Capabilities without(Capability one) {
        return with(one, false);
    }

    /** The same without anything that changes data. */
    public Capabilities readOnly() {
        return new Capabilities(bits & ~CHANGES);
    }

    /** What both can do. */
    public Capabilities and(Capabilities other) {
        return new Capabilities(bits & other.bits);
    }

    public boolean canWrite() {
        return has(Capability.WRITE);
    }

    public boolean canFua() {
        return has(Capability.FUA);
    }

    public boolean canDiscard() {
        return has(Capability.DISCARD);
    }

    public boolean canFastZero() {
        return has(Capability.FAST_ZERO);
    }

    public boolean canMultiConn() {
        return has(Capability.MULTI_CONN);
    }

    public boolean canGrow() {
        return has(Capability.GROW);
    }

    public boolean canWriteCompressed() {
        return has(Capability.WRITE_COMPRESSED);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Capabilities theirs && theirs.bits == bits;
    }

    @Override
    public int hashCode() {
        return bits;
    }

    /** Their names, for example {@code WRITE|FUA}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Capability one : Capability.values()) {
            if (has(one)) {
                text.append(text.length() == 0 ? "" : "|").append(one);
            }
        }
        return text.length() == 0 ? "-" : text.toString();
    }
}
