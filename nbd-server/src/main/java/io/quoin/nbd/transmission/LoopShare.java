package io.quoin.nbd.transmission;

import io.quoin.xlator.loop.Loop;
import org.jspecify.annotations.Nullable;

/**
 * How the connections of one loop share it. What arrives is carried out at once, so much in each
 * look at the sockets for all together; what is over that waits in the loop's queue of work that
 * gave way, and is carried out in short turns. While any wait there, a connection that asks for
 * little is still served at once, whatever the others want: the idea is that of queues for sparse
 * flows (RFC 8290, section 4.2).
 *
 * <p>Threading: confined(loop).
 */
final class LoopShare {
    /** A turn of a connection that had the loop for itself. */
    private static final int ALONE_UNITS = 96;

    /** What all may have done in one look at the sockets. */
    private static final int PASS_UNITS = 48;

    /** A turn out of the queue. */
    private static final int QUEUED_UNITS = 16;

    /** The same, while others ask for little: their next request waits for such a turn. */
    private static final int SHORT_UNITS = 2;

    /** What a connection may have done at once even so. */
    private static final int LEAST_UNITS = 4;

    /** So many turns in a row make a connection the only one. */
    private static final int ALONE_TURNS = 16;

    /** So many turns out of the queue are short after a connection has asked for little. */
    private static final int SHORT_TURNS = 32;

    private final Loop loop;
    private final Runnable passTask = this::passed;
    private @Nullable Turn latest;
    private int inRow;
    private int passLeft = PASS_UNITS;
    private boolean isPassArranged;
    private int waiting;
    private int shortTurns;

    LoopShare(Loop loop) {
        this.loop = loop;
    }

    /** What a connection may have done whose requests have just arrived. */
    int arrived(Turn turn) {
        if (isAlone(turn)) {
            return ALONE_UNITS;
        }
        if (!isPassArranged) {
            isPassArranged = true;
            loop.execute(passTask);
        }
        return waiting > 0 ? LEAST_UNITS : Math.max(LEAST_UNITS, passLeft);
    }

    /** What a connection may have done that waited in the queue. */
    int queued(Turn turn) {
        if (isAlone(turn)) {
            return ALONE_UNITS;
        }
        boolean isShort = shortTurns > 0;
        shortTurns = Math.max(0, shortTurns - 1);
        return isShort ? SHORT_UNITS : QUEUED_UNITS;
    }

    private boolean isAlone(Turn turn) {
        inRow = turn == latest ? Math.min(inRow + 1, ALONE_TURNS) : 0;
        latest = turn;
        return inRow == ALONE_TURNS && waiting == 0;
    }

    /**
     * What a turn of one that arrived has come to.
     *
     * @param isOver whether it may have wanted more
     */
    void spent(int units, boolean isOver) {
        if (isPassArranged) {
            passLeft -= units;
        }
        if (!isOver) {
            shortTurns = SHORT_TURNS;
        }
    }

    /** A connection takes its place in the queue. */
    void enterQueue() {
        waiting++;
    }

    /** It has left the queue. */
    void leaveQueue() {
        waiting--;
    }

    private void passed() {
        isPassArranged = false;
        passLeft = PASS_UNITS;
    }
}
