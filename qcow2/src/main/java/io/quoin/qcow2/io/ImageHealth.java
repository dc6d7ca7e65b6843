package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether an open image may still be written. A failed flush and corrupt metadata are final: from
 * then on every write and flush is refused, while reads go on.
 *
 * <pre>
 *  READ_WRITE --failed flush or table write--> FENCED (EIO)
 *  READ_WRITE --corrupt metadata-------------> CORRUPT (EIO), corrupt bit set on disk
 *  READ_WRITE --another disk in its place----> RETIRED (ESTALE)
 *  READ_ONLY  (EPERM) for good
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class ImageHealth {
    private static final Logger LOG = LoggerFactory.getLogger(ImageHealth.class);

    private final String fileName;
    private final boolean writable;
    private BlockError refusal;
    private String reason = "";
    private boolean corrupt;
    private Runnable whenCorrupt = () -> {};

    public ImageHealth(String fileName, boolean writable) {
        this.fileName = fileName;
        this.writable = writable;
        this.refusal = writable ? BlockError.OK : BlockError.EPERM;
    }

    /** What to do at the moment when corruption is found: set the bit on disk. */
    public void whenCorrupt(Runnable action) {
        whenCorrupt = action;
    }

    /** OK, or how a write or flush has to be refused. */
    public BlockError refusal() {
        return refusal;
    }

    public boolean isWritable() {
        return refusal.isOk();
    }

    public boolean isCorrupt() {
        return corrupt;
    }

    /** Why writes are refused; empty while they are not. */
    public String reason() {
        return reason;
    }

    /**
     * The header leads to another disk now: what is in memory must not be written any more. Nothing
     * is lost by it.
     */
    public void retire(String why) {
        if (refusal.isOk()) {
            refusal = BlockError.ESTALE;
            reason = why + "; it has to be opened again";
        }
    }

    /** Whether it took no change any more since another disk had its place. */
    public boolean isRetired() {
        return refusal == BlockError.ESTALE;
    }

    /** What was written may be lost: no later flush may claim otherwise. */
    public void fence(String what, BlockError error) {
        if (refusal.isOk()) {
            refusal = BlockError.EIO;
            reason = what + ": " + error.text();
            LOG.error("image refuses writes from now on: file={}, {}", fileName, reason);
        }
    }

    /**
     * Metadata cannot be right; {@code what} names the structure, {@code hostOffset} where it is.
     */
    public void corrupt(String what, long hostOffset, long value) {
        if (corrupt) {
            return;
        }
        corrupt = true;
        String text = what + ": hostOffset=" + hostOffset + ", actual=0x" + Long.toHexString(value);
        LOG.error("image is corrupt: file={}, {}; see quoin image check", fileName, text);
        if (writable && refusal.isOk()) {
            refusal = BlockError.EIO;
            reason = "image is corrupt: " + text;
            whenCorrupt.run();
        }
    }
}
