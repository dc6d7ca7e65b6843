package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What keeps two programs from using one image file against each other: the locks that QEMU takes
 * (its {@code file} driver's {@code locking}), so that QEMU, qemu-img and Quoin respect one
 * another.
 *
 * <pre>
 *  byte 100 + permission   shared lock: in use
 *  byte 200 + permission   shared lock: not shared with others
 *
 *  permissions   0 consistent read, 1 write, 3 resize
 *  a reader      uses 0; does not share 1 and 3
 *  a writer      uses 0, 1 and 3; does not share 1 and 3
 * </pre>
 *
 * First the own locks are taken, then it is asked whether another process holds what contradicts
 * them: of two that come at once at least one is refused. They are locks of an open file
 * description of their own ({@code fcntl(2)}, F_OFD_SETLK), so they end with it or with the
 * process, whatever else is opened and closed.
 *
 * <p>Threading: confined to its owner.
 */
final class ImageLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ImageLock.class);

    private static final int USED = 100;
    private static final int UNSHARED = 200;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;
    private static final int[] CHANGES = {WRITE, RESIZE};

    private final String fileName;
    private final Descriptor descriptor;

    /** Whether the file system has such locks. Where it has none, QEMU takes none either. */
    private boolean supported = true;

    private ImageLock(String fileName, Descriptor descriptor) {
        this.fileName = fileName;
        this.descriptor = descriptor;
    }

    /**
     * Takes a reader's locks on an open file.
     *
     * @throws BlockException EBUSY if another program writes it
     */
    static ImageLock reader(String fileName, int openFd) {
        Descriptor descriptor = Descriptor.reopen(openFd, SystemCalls.O_RDONLY);
        if (!descriptor.isOpen()) {
            throw Errno.exception("lock the file", "file=" + fileName, descriptor.errno());
        }
        ImageLock lock = new ImageLock(fileName, descriptor);
        boolean taken = false;
        try {
            lock.takeReader();
            taken = true;
            return lock;
        } finally {
            if (!taken) {
                lock.close();
            }
        }
    }

    private void takeReader() {
        take(USED + READ);
        take(UNSHARED + WRITE);
        take(UNSHARED + RESIZE);
        if (isHeldElsewhere(UNSHARED + READ)) {
            throw busy("to read", "does not share it");
        }
        if (isHeldElsewhere(USED + WRITE) || isHeldElsewhere(USED + RESIZE)) {
            throw busy("to read while it is not written", "writes it");
        }
    }

    /**
     * Adds a writer's locks.
     *
     * @throws BlockException EBUSY if another program uses the file, with nothing added
     */
    void addWriter() {
        boolean added = false;
        try {
            for (int permission : CHANGES) {
                take(USED + permission);
            }
            for (int permission : CHANGES) {
                if (isHeldElsewhere(UNSHARED + permission)) {
                    throw busy("to write", "uses it");
                }
            }
            added = true;
        } finally {
            if (!added) {
                dropWriter();
            }
        }
    }

    /** Leaves the locks of a reader. */
    void dropWriter() {
        for (int permission : CHANGES) {
            SystemCalls.unlockByte(descriptor.fd(), USED + permission);
        }
    }

    private void take(int offset) {
        int result = supported ? SystemCalls.lockByteShared(descriptor.fd(), offset) : 0;
        if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
            throw busy("to use", "holds an exclusive lock on it");
        }
        if (result < 0) {
            supported = false;
            LOG.warn("file cannot be locked: file={}, errno={}", fileName, Errno.name(-result));
        }
    }

    private boolean isHeldElsewhere(int offset) {
        return supported && SystemCalls.isByteLockedElsewhere(descriptor.fd(), offset) == 1;
    }

    private BlockException busy(String wanted, String holder) {
        return new BlockException(
                BlockError.EBUSY,
                "file is in use: file="
                        + fileName
                        + ", wanted="
                        + wanted
                        + ", but another program "
                        + holder
                        + "; 'lslocks' or 'fuser' tells which");
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
