package io.quoin.management.guest;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.concurrent.TimeUnit;

/**
 * A guest that commands of the shell freeze and thaw, as {@code virsh domfsfreeze} and {@code virsh
 * domfsthaw} do. A command has done its work if it exits with 0; what it prints to standard error
 * is this process's.
 *
 * <p>Threading: as {@link Guest}.
 */
final class CommandGuest implements Guest {
    private static final long AGAIN_MILLIS = 100;

    private final String freezeCommand;
    private final String thawCommand;

    CommandGuest(String freezeCommand, String thawCommand) {
        this.freezeCommand = freezeCommand;
        this.thawCommand = thawCommand;
    }

    @Override
    public String text() {
        return "command=" + freezeCommand;
    }

    @Override
    public int freeze(long deadlineNanos) {
        run(freezeCommand, deadlineNanos);
        return 1;
    }

    /** Once more while it fails; one that hangs is ended at the deadline. */
    @Override
    public int thaw(long deadlineNanos) {
        while (true) {
            try {
                run(thawCommand, deadlineNanos);
                return 1;
            } catch (BlockException e) {
                long left = deadlineNanos - System.nanoTime();
                if (left < TimeUnit.MILLISECONDS.toNanos(AGAIN_MILLIS)) {
                    throw e;
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(AGAIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted between commands", e);
        }
    }

    private static void run(String command, long deadlineNanos) {
        Process process;
        try {
            process =
                    new ProcessBuilder("/bin/sh", "-c", command)
                            .redirectOutput(Redirect.DISCARD)
                            .redirectError(Redirect.INHERIT)
                            .start();
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO, "command=" + command + ", reason=" + Reason.of(e), e);
        }
        try {
            long left = deadlineNanos - System.nanoTime();
            if (!process.waitFor(Math.max(1, left), TimeUnit.NANOSECONDS)) {
                throw new BlockException(
                        BlockError.ETIMEDOUT, "command=" + command + ", reason=not done in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "command=" + command, e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new BlockException(
                    BlockError.EIO, "command=" + command + ", exitCode=" + process.exitValue());
        }
    }
}
