package io.quoin.replicate;

/** A gateway that breaks a rule of {@link Mutant}, in itself or in a part. */
final class MutantGateway extends Gateway {
    private final Mutant mutant;

    MutantGateway(Mutant mutant, long id, long epoch, Layout layout, GatewayPort port) {
        super(id, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port);
        this.mutant = mutant;
    }

    boolean is(Mutant other) {
        return mutant == other;
    }

    /** The parts are made before this object is, and look at the mutant later. */
    @Override
    Operations newOperations() {
        return new MutantOperations(this);
    }

    @Override
    Opening newOpening() {
        return new MutantOpening(this);
    }

    @Override
    Healer newHealer() {
        return new MutantHealer(this);
    }

    @Override
    Cleaner newCleaner() {
        return new MutantCleaner(this);
    }

    @Override
    Membership newMembership() {
        return new MutantMembership(this);
    }

    @Override
    boolean isTrusted(long expectedCacheEpoch, long cacheEpoch) {
        return is(Mutant.GATEWAY_TRUSTS_ALL) || super.isTrusted(expectedCacheEpoch, cacheEpoch);
    }

    @Override
    boolean isEnough(int voters) {
        return is(Mutant.GATEWAY_COMMITS_ALONE) || super.isEnough(voters);
    }

    @Override
    boolean isProposing() {
        return !is(Mutant.GATEWAY_PROPOSES_TWICE) && super.isProposing();
    }

    @Override
    void configure(Member member, Config config) {
        boolean isKnown = !config.equals(proposed());
        if (!isKnown || !is(Mutant.GATEWAY_SKIPS_CONFIG_IN_NEW_SESSIONS)) {
            super.configure(member, config);
        }
    }

    @Override
    int needed() {
        int needed = super.needed();
        Config proposed = proposed();
        if (is(Mutant.GATEWAY_NEEDS_ONE)) {
            return Integer.lowestOneBit(needed);
        } else if (is(Mutant.GATEWAY_ACKNOWLEDGES_UNDER_PROPOSED) && proposed != null) {
            return proposed.inSync();
        } else if (is(Mutant.GATEWAY_DROPS_BEFORE_COMMIT)) {
            for (Member member : dataMembers()) {
                needed &= member.isAttached() ? needed : ~member.bit();
            }
        }
        return needed;
    }

    @Override
    boolean isSource(Member member) {
        return is(Mutant.OPERATIONS_READ_FROM_SYNCING)
                ? member.role() != Member.Role.VOTER
                : super.isSource(member);
    }

    @Override
    void flushToQuiesce(Completion completion) {
        if (is(Mutant.GATEWAY_QUIESCES_UNFLUSHED)) {
            completion.complete(Outcome.DONE, null);
        } else {
            super.flushToQuiesce(completion);
        }
    }

    @Override
    public void resume() {
        if (is(Mutant.GATEWAY_RESUMES_UNDER_CLEAN) && state() == State.QUIESCED) {
            enter(State.SERVING);
        } else {
            super.resume();
        }
    }
}
