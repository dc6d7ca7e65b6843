package io.quoin.replicate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An opening that breaks a rule of {@link Mutant}. */
final class MutantOpening extends Opening {
    private final MutantGateway gateway;

    MutantOpening(MutantGateway gateway) {
        super(gateway);
        this.gateway = gateway;
    }

    @Override
    boolean isEnough(List<Integer> voters) {
        return gateway.is(Mutant.OPENING_NEEDS_NO_MAJORITY)
                ? !voters.isEmpty()
                : super.isEnough(voters);
    }

    @Override
    @Nullable Config newest(List<Member> attached) {
        Config newest = super.newest(attached);
        return newest != null && gateway.is(Mutant.OPENING_TAKES_ANY_CONFIG)
                ? attached.get(0).promised().config()
                : newest;
    }

    @Override
    void reconcile(List<Member> members, boolean isClean) {
        List<Member> taken = new ArrayList<>(members);
        if (gateway.is(Mutant.OPENING_TAKES_ANY_SOURCE)) {
            for (Member member : gateway.members()) {
                if (member.isAttached()
                        && !taken.contains(member)
                        && gateway.layout().isData(member.brick())) {
                    taken.add(0, member);
                }
            }
        }
        super.reconcile(taken, isClean || gateway.is(Mutant.OPENING_COPIES_NOTHING));
    }

    @Override
    void askAll(List<Member> members, Request.Operation operation, int attempt, Runnable then) {
        if (operation instanceof Request.Flush && gateway.is(Mutant.OPENING_FLUSHES_NOTHING)) {
            then.run();
        } else {
            super.askAll(members, operation, attempt, then);
        }
    }
}
