package io.quoin.replicate;

/** A membership that breaks a rule of {@link Mutant}. */
final class MutantMembership extends Membership {
    private final MutantGateway gateway;

    MutantMembership(MutantGateway gateway) {
        super(gateway);
        this.gateway = gateway;
    }

    @Override
    boolean isRecorded(Member member, Config current) {
        return gateway.is(Mutant.MEMBERSHIP_RECORDS_NOTHING) || super.isRecorded(member, current);
    }

    @Override
    boolean isKnown(Member member, Reply.Promised promised) {
        return gateway.is(Mutant.MEMBERSHIP_COUNTS_NEW_BRICKS) || super.isKnown(member, promised);
    }

    @Override
    boolean isRolledBack(Member member, Reply.Promised promised) {
        return !gateway.is(Mutant.MEMBERSHIP_TRUSTS_ROLLED_BACK_BRICKS)
                && super.isRolledBack(member, promised);
    }
}
