package io.quoin.replicate;

import io.quoin.replicate.Operations.Operation;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The word that reads wait for: a majority has said, when it was asked after the read began, that
 * no other gateway has been promised the image since. Reads that begin close together share one
 * round of questions, which goes out behind them (as ReadIndex does: Ongaro, "Consensus: Bridging
 * Theory and Practice", section 6.4).
 */
final class Confirmations {
    private static final Request.Operation QUESTION = new Request.Confirm();

    private final Gateway gateway;
    private final Consumer<Operation> whenGiven;
    private final Set<Operation> waiting = new LinkedHashSet<>();

    /** By brick: the newest round that it was asked in, in its present session. */
    private final long[] asked;

    /** By brick: the newest round that it has answered. */
    private final long[] given;

    private long round;
    private boolean isPlanned;

    /**
     * @param whenGiven is called for each read of a round that one more voter has answered
     */
    Confirmations(Gateway gateway, Consumer<Operation> whenGiven) {
        this.gateway = gateway;
        this.whenGiven = whenGiven;
        this.asked = new long[gateway.layout().voters()];
        this.given = new long[gateway.layout().voters()];
    }

    /** A read begins; the next round is its. */
    void begin(Operation read) {
        read.round = round + 1;
        waiting.add(read);
        if (!isPlanned) {
            isPlanned = true;
            gateway.port().schedule(0, this::beginRound);
        }
    }

    /** It waits no longer. */
    void end(Operation read) {
        waiting.remove(read);
    }

    void endAll() {
        waiting.clear();
    }

    private void beginRound() {
        isPlanned = false;
        if (!gateway.isOver()) {
            round++;
            askVoters();
        }
    }

    /** Asks the voters that have not been asked in the newest round, in their present sessions. */
    void askVoters() {
        int readers = readers();
        for (Member voter : gateway.members()) {
            boolean isOwed = voter.isVoter() && asked[voter.brick()] < round;
            if (isOwed && !waiting.isEmpty() && (readers & voter.bit()) == 0) {
                long number = round;
                asked[voter.brick()] = number;
                gateway.ask(voter, QUESTION, answer -> given(voter, number));
            }
        }
    }

    /** The members whose data all that wait are about to get: these say it as well. */
    private int readers() {
        int readers = -1;
        for (Operation read : waiting) {
            Member source = read.source;
            readers &= source == null ? 0 : source.bit();
        }
        return readers;
    }

    private void given(Member voter, long number) {
        given[voter.brick()] = Math.max(given[voter.brick()], number);
        for (Operation read : List.copyOf(waiting)) {
            if (read.round <= number) {
                whenGiven.accept(read);
            }
        }
    }

    /** What it was asked is void. */
    void sessionLost(Member voter) {
        asked[voter.brick()] = 0;
    }

    /** Those whose word the read has by rounds, a bit for each. */
    int voters(Operation read) {
        int voters = 0;
        for (int brick = 0; brick < given.length; brick++) {
            voters |= given[brick] >= read.round ? 1 << brick : 0;
        }
        return voters;
    }
}
