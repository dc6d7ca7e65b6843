package io.quoin.replicate;

import java.util.BitSet;

/** A cleaner that breaks a rule of {@link Mutant}. */
final class MutantCleaner extends Cleaner {
    private final MutantGateway gateway;

    MutantCleaner(MutantGateway gateway) {
        super(gateway);
        this.gateway = gateway;
    }

    @Override
    BitSet touchedSince(long started) {
        return gateway.is(Mutant.CLEANER_CLEANS_BUSY_REGIONS)
                ? new BitSet()
                : super.touchedSince(started);
    }

    @Override
    void flush(Completion completion) {
        if (gateway.is(Mutant.CLEANER_FLUSHES_NOTHING)) {
            completion.complete(Outcome.DONE, null);
        } else {
            super.flush(completion);
        }
    }
}
