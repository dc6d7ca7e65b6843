package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.HashMap;
import java.util.Map;

/**
 * Which disk is used by what in this process. An image that is written has metadata in memory that
 * nothing else may read or change below it, so a disk has either one writer or any number of
 * readers. Snapshots do not change, and are read beside either. Nothing else goes on while a disk
 * is made, renamed or removed.
 *
 * <p>Threading: thread-safe.
 */
final class DiskUses {
    /** What a disk is used for. */
    enum Use {
        /** It is made, renamed or removed. */
        NAME,
        WRITE,
        READ,
        /** One of its snapshots is read. */
        SNAPSHOT
    }

    private static final class Disk {
        private boolean isNamed;
        private boolean isWritten;
        private int readers;
        private int snapshotReaders;

        private boolean allows(Use use) {
            return !isNamed
                    && switch (use) {
                        case NAME -> isIdle();
                        case WRITE -> !isWritten && readers == 0;
                        case READ -> !isWritten;
                        case SNAPSHOT -> true;
                    };
        }

        private void add(Use use, int one) {
            switch (use) {
                case NAME -> isNamed = one > 0;
                case WRITE -> isWritten = one > 0;
                case READ -> readers += one;
                case SNAPSHOT -> snapshotReaders += one;
            }
        }

        private boolean isIdle() {
            return !isNamed && !isWritten && readers == 0 && snapshotReaders == 0;
        }
    }

    private final Map<String, Disk> disks = new HashMap<>();

    /**
     * Begins a use, which the caller ends once.
     *
     * @return ends it
     * @throws BlockException EBUSY if it does not go with what goes on
     */
    synchronized Runnable acquire(String name, Use use) {
        Disk disk = disks.computeIfAbsent(name, none -> new Disk());
        if (!disk.allows(use)) {
            throw busy(name, disk);
        }
        disk.add(use, 1);
        return () -> release(name, disk, use);
    }

    private synchronized void release(String name, Disk disk, Use use) {
        disk.add(use, -1);
        if (disk.isIdle()) {
            disks.remove(name);
        }
    }

    private static BlockException busy(String name, Disk disk) {
        boolean isSnapshot = !disk.isNamed && !disk.isWritten && disk.readers == 0;
        return new BlockException(
                BlockError.EBUSY,
                (isSnapshot ? "a snapshot of the disk is in use: name=" : "disk is in use: name=")
                        + name
                        + "; close or detach it first, then try again");
    }
}
