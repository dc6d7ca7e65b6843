package io.quoin.replicate;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Repairs blocks that are not what their checksums say, from other members, one block after the
 * other; and looks for such blocks in the whole image. While the gateway serves.
 */
class Repairs {
    /** More are not queued: what is not repaired now is found again. */
    private static final int WAITING_MAX = 64;

    private static final class Run {
        final int members;
        final long toBytes;
        final Runnable then;
        long offsetBytes;
        int left;

        Run(int members, long fromBytes, long toBytes, Runnable then) {
            this.members = members;
            this.offsetBytes = fromBytes;
            this.toBytes = toBytes;
            this.then = then;
            this.left = members;
        }
    }

    private final Gateway gateway;
    private final Deque<Run> runs = new ArrayDeque<>();
    private boolean isBusy;
    private boolean isAdvancing;
    private long repairedBlocks;

    Repairs(Gateway gateway) {
        this.gateway = gateway;
    }

    /**
     * Verifies these members' copies of the blocks of a range, and repairs them.
     *
     * @param members a bit for each
     * @param then runs at the end, whatever came of it
     */
    void repair(int members, long fromBytes, long toBytes, Runnable then) {
        if (runs.size() >= WAITING_MAX) {
            then.run();
            return;
        }
        int block = gateway.geometry().blockBytes();
        runs.add(
                new Run(
                        members,
                        fromBytes / block * block,
                        (toBytes + block - 1) / block * block,
                        then));
        advance();
    }

    private void advance() {
        if (isAdvancing) {
            return;
        }
        isAdvancing = true;
        while (!isBusy && !runs.isEmpty()) {
            next(runs.element());
        }
        isAdvancing = false;
    }

    private void next(Run run) {
        if (run.offsetBytes >= run.toBytes || !gateway.isServing()) {
            runs.remove();
            run.then.run();
            return;
        }
        int block = gateway.geometry().blockBytes();
        if (run.left == 0) {
            run.left = run.members;
            run.offsetBytes += block;
            return;
        }
        int member = Integer.numberOfTrailingZeros(run.left);
        run.left &= run.left - 1;
        isBusy = true;
        gateway.operations()
                .copying()
                .check(
                        run.offsetBytes,
                        block,
                        gateway.member(member),
                        (outcome, data) -> {
                            isBusy = false;
                            advance();
                        });
    }

    /** A block of the member has been repaired. */
    void repaired(Member member, long offsetBytes) {
        repairedBlocks++;
        gateway.port().repaired(member.brick(), offsetBytes);
    }

    long repairedBlocks() {
        return repairedBlocks;
    }

    /** Verifies every in-sync member's copy, and repairs it; tells how far it is. */
    void scrub(Consumer<ScrubProgress> progress, BooleanSupplier isToEnd) {
        new Scrub(gateway, this, progress, isToEnd).begin();
    }
}
