package io.quoin.brick.posix;

import org.jspecify.annotations.Nullable;

/**
 * What a thread of the pool keeps from task to task.
 *
 * <p>Threading: confined to its thread.
 */
final class Worker {
    private final FileSystemTraits traits;
    private final Transfer transfer = new Transfer();
    private @Nullable DirectTransfer direct;

    Worker(FileSystemTraits traits) {
        this.traits = traits;
    }

    FileSystemTraits traits() {
        return traits;
    }

    Transfer transfer() {
        return transfer;
    }

    /** Made at its first use: its bounce buffer is large. */
    DirectTransfer direct() {
        DirectTransfer present = direct;
        if (present == null) {
            present = new DirectTransfer(traits, transfer);
            direct = present;
        }
        return present;
    }
}
