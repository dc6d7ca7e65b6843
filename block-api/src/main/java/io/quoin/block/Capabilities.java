package io.quoin.block;

/**
 * What a device can do; asked for, never guessed. READ, FLUSH and BLOCK_STATUS are always served.
 *
 * @param canWrite WRITE, WRITE_ZEROES and DISCARD are served; otherwise they end in {@link
 *     BlockError#EPERM}
 * @param canFua the FUA flag is honoured
 * @param canDiscard DISCARD gives space back
 * @param canFastZero WRITE_ZEROES of aligned ranges is faster than writing
 * @param canMultiConn a FLUSH covers the writes of every submitter
 * @param canGrow a WRITE past the end extends the device (files of bricks do, disks do not)
 * @param canWriteCompressed {@link IoFlags#COMPRESSED} is served; otherwise such a WRITE ends in
 *     {@link BlockError#ENOTSUP}
 *     <p>Threading: immutable.
 */
public record Capabilities(
        boolean canWrite,
        boolean canFua,
        boolean canDiscard,
        boolean canFastZero,
        boolean canMultiConn,
        boolean canGrow,
        boolean canWriteCompressed) {

    /** Of a device that does not compress. */
    public Capabilities(
            boolean canWrite,
            boolean canFua,
            boolean canDiscard,
            boolean canFastZero,
            boolean canMultiConn,
            boolean canGrow) {
        this(canWrite, canFua, canDiscard, canFastZero, canMultiConn, canGrow, false);
    }

    /** The same without anything that changes data. */
    public Capabilities readOnly() {
        return new Capabilities(false, canFua, false, false, canMultiConn, false);
    }
}
