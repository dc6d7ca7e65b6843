package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;

/** A healer that breaks a rule of {@link Mutant}. */
final class MutantHealer extends Healer {
    private final MutantGateway gateway;
    private final SortedMap<Integer, Heal> last = new TreeMap<>();

    MutantHealer(MutantGateway gateway) {
        super(gateway);
        this.gateway = gateway;
    }

    @Override
    Heal newHeal(Member member) {
        Heal heal = super.newHeal(member);
        Heal before = last.put(member.brick(), heal);
        if (before != null && gateway.is(Mutant.HEALER_KEEPS_PROGRESS)) {
            heal.offsetBytes = before.offsetBytes;
        }
        return heal;
    }

    @Override
    BitSet lacking(Member member, SortedMap<Integer, BitSet> dirty) {
        BitSet written = dirty.getOrDefault(member.brick(), new BitSet());
        return gateway.is(Mutant.HEALER_FORGETS_ACTIVE) ? written : super.lacking(member, dirty);
    }

    @Override
    void flush(Member member, Runnable then) {
        if (gateway.is(Mutant.HEALER_FLUSHES_NOTHING)) {
            member.setJoining();
            then.run();
        } else if (gateway.is(Mutant.HEALER_JOINS_UNNEEDED)) {
            gateway.ask(member, new Request.Flush(), done -> then.run());
        } else {
            super.flush(member, then);
        }
    }
}
