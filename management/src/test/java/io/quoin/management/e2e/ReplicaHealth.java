package io.quoin.management.e2e;

import io.quoin.block.BlockException;
import io.quoin.management.operation.VolumeStatus;
import io.quoin.management.operation.VolumeStatusView;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** What {@code quoin volume status} says of a volume. */
final class ReplicaHealth {
    private static final long LIMIT_SECONDS = 120;
    private static final long LOOK_MILLIS = 50;

    private final ReplicaGateway gateway;
    private final ReplicaShape shape;
    private long mostLeftBytes;

    ReplicaHealth(ReplicaGateway gateway, ReplicaShape shape) {
        this.gateway = gateway;
        this.shape = shape;
    }

    /**
     * Waits until every brick is there and has all of the files that are open.
     *
     * @param files how many disks are open
     * @param whileWaiting is called now and then
     */
    void awaitHealed(int files, Runnable whileWaiting) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        String behind = behind(files);
        while (!behind.isEmpty()) {
            whileWaiting.run();
            if (System.nanoTime() > end) {
                throw new AssertionError(shape.text() + " is not healed: " + behind);
            }
            Thread.sleep(LOOK_MILLIS);
            behind = behind(files);
        }
    }

    /** Waits until the brick is refused for that reason. */
    void awaitRefused(int brick, String reason) throws InterruptedException {
        await(status -> String.valueOf(status.bricks().get(brick).reason()).contains(reason));
    }

    /** Waits until a file has that role on the brick. */
    void awaitRole(int brick, String role) throws InterruptedException {
        await(
                status ->
                        status.files().stream()
                                .flatMap(file -> file.copies().stream())
                                .anyMatch(
                                        copy -> copy.brick() == brick && copy.role().equals(role)));
    }

    /** Waits until a file does not count on the brick. */
    void awaitLeftOut(int brick) throws InterruptedException {
        await(
                status ->
                        status.files().stream()
                                .flatMap(file -> file.copies().stream())
                                .anyMatch(copy -> copy.brick() == brick && !copy.isInSync()));
    }

    private void await(Predicate<VolumeStatusView> holds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (true) {
            VolumeStatusView status =
                    gateway.call(VolumeStatus.TYPE, new VolumeStatus.Request(shape.text()));
            if (holds.test(status)) {
                return;
            }
            if (System.nanoTime() > end) {
                throw new AssertionError(
                        shape.text() + " does not come to what it is to: " + status);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Whether the volume is open. */
    boolean isServed() {
        try {
            gateway.call(VolumeStatus.TYPE, new VolumeStatus.Request(shape.text()));
            return true;
        } catch (BlockException notServed) {
            return false;
        }
    }

    /** The most that a heal had left to copy, of all that was seen since this was asked last. */
    long takeMostLeftBytes() {
        long most = mostLeftBytes;
        mostLeftBytes = 0;
        return most;
    }

    private String behind(int files) {
        VolumeStatusView status;
        try {
            status = gateway.call(VolumeStatus.TYPE, new VolumeStatus.Request(shape.text()));
        } catch (BlockException notServed) {
            return String.valueOf(notServed.getMessage());
        }
        long left = 0;
        for (VolumeStatusView.File file : status.files()) {
            left += file.copies().stream().mapToLong(VolumeStatusView.Copy::leftBytes).sum();
        }
        mostLeftBytes = Math.max(mostLeftBytes, left);
        for (VolumeStatusView.Brick brick : status.bricks()) {
            if (!brick.isOnline()) {
                return brick.toString();
            }
        }
        for (VolumeStatusView.File file : status.files()) {
            if (!isWhole(file)) {
                return file.toString();
            }
        }
        // Of each set its catalogue of names is open, too.
        long expected = (long) (shape.bricks() / shape.layout().voters()) * (files + 1);
        return status.files().size() == expected ? "" : "open files: " + status.files();
    }

    private boolean isWhole(VolumeStatusView.File file) {
        boolean isWhole = file.state().equals("SERVING");
        for (VolumeStatusView.Copy copy : file.copies()) {
            boolean isArbiter = !shape.layout().isData(shape.index(copy.brick()));
            isWhole &=
                    isArbiter
                            ? copy.role().equals("VOTER")
                            : copy.role().equals("IN_SYNC") && !copy.isBehind();
        }
        return isWhole;
    }
}
