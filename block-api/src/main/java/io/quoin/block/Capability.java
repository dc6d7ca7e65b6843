package io.quoin.block;

/**
 * Something that a device may be able to do. READ, FLUSH and BLOCK_STATUS are always served.
 *
 * <p>Threading: immutable.
 */
public enum Capability {
    /**
     * WRITE, WRITE_ZEROES and DISCARD are served; otherwise they end in {@link BlockError#EPERM}.
     */
    WRITE,
    /** The FUA flag is honoured. */
    FUA,
    /** DISCARD gives space back. */
    DISCARD,
    /** WRITE_ZEROES of aligned ranges is faster than writing. */
    FAST_ZERO,
    /** A FLUSH covers the writes of every submitter. */
    MULTI_CONN,
    /** A WRITE past the end extends the device: files of bricks do, disks do not. */
    GROW,
    /**
     * {@link IoFlags#COMPRESSED} is served; otherwise such a WRITE ends in {@link
     * BlockError#ENOTSUP}.
     */
    WRITE_COMPRESSED
}
