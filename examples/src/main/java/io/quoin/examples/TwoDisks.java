package io.quoin.examples;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Snapshot;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * Pays from an account on one disk into an account on another, and makes snapshots of both at one
 * instant meanwhile:
 *
 * <pre>
 *   TwoDisks DATA_FOLDER [PAYMENTS]
 * </pre>
 *
 * <p>The money is taken off the first account, durably, before it is put on the second. So at any
 * one instant at most one payment is on its way; snapshots that were made one after the other would
 * miss more, or find more than there was.
 */
public final class TwoDisks {
    private static final int BLOCK = 4096;
    private static final long DISK_BYTES = 16L << 20;
    private static final String FIRST = "account-1";
    private static final String SECOND = "account-2";
    private static final int PAYMENTS = 1000;

    private TwoDisks() {}

    /** As the class comment says. */
    public static void main(String[] arguments) {
        int payments = arguments.length > 1 ? Integer.parseInt(arguments[1]) : PAYMENTS;
        try (Volume volume = Volumes.open(Path.of(arguments[0]))) {
            for (String disk : List.of(FIRST, SECOND)) {
                if (!volume.disks().contains(disk)) {
                    volume.create(disk, DISK_BYTES);
                }
            }
            List<Snapshot> made = payAndCut(volume, payments);
            for (Snapshot snapshot : made) {
                System.out.println(
                        snapshot.fullName() + ": " + balance(volume, snapshot.fullName()));
            }
        }
    }

    private static List<Snapshot> payAndCut(Volume volume, int payments) {
        Thread paying = new Thread(() -> pay(volume, payments), "paying");
        paying.start();
        try {
            String name = "cut-" + Instant.now().toEpochMilli();
            return volume.snapshot(List.of(FIRST, SECOND), name);
        } finally {
            join(paying);
        }
    }

    private static void pay(Volume volume, int payments) {
        try (Disk first = volume.open(FIRST);
                Disk second = volume.open(SECOND)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            for (int i = 0; i < payments; i++) {
                add(first, block, -1);
                add(second, block, 1);
            }
        }
    }

    private static void add(Disk account, ByteBuffer block, long amount) {
        account.read(0, block.clear());
        block.putLong(0, block.getLong(0) + amount);
        account.write(0, block.clear());
        account.flush();
    }

    private static long balance(Volume volume, String name) {
        try (Disk disk = volume.open(name)) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
            disk.read(0, block);
            return block.getLong(0);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
