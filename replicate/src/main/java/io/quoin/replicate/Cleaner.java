package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;

/** Flushes from time to time, and cleans the regions that were quiet meanwhile. */
class Cleaner {
    private final Gateway gateway;
    private long lastNanos;
    private boolean isFlushing;

    Cleaner(Gateway gateway) {
        this.gateway = gateway;
    }

    void tick() {
        long now = gateway.port().nanoTime();
        if (isFlushing || now - lastNanos < gateway.timing().clean() || !isWhole()) {
            return;
        }
        long started = gateway.operations().started();
        BitSet regions = gateway.activeRegions();
        regions.andNot(touchedSince(started));
        if (regions.isEmpty()) {
            return;
        }
        lastNanos = now;
        isFlushing = true;
        Config config = gateway.committed();
        SortedMap<Integer, Long> sessions = sessions();
        flush(
                (outcome, data) -> {
                    isFlushing = false;
                    boolean isSame =
                            outcome == Outcome.DONE
                                    && isWhole()
                                    && config.equals(gateway.committed())
                                    && sessions.equals(sessions());
                    if (isSame) {
                        regions.andNot(touchedSince(started));
                        clean(regions);
                    }
                });
    }

    void flush(Completion completion) {
        gateway.operations().flush(completion);
    }

    BitSet touchedSince(long started) {
        return gateway.operations().touchedSince(started);
    }

    /** Every in-sync member is there, and no change of the set is under way. */
    private boolean isWhole() {
        return !gateway.isProposing()
                && gateway.sources().size() == gateway.committed().isr().size();
    }

    private SortedMap<Integer, Long> sessions() {
        SortedMap<Integer, Long> sessions = new TreeMap<>();
        gateway.sources().forEach(member -> sessions.put(member.brick(), member.session()));
        return sessions;
    }

    private void clean(BitSet regions) {
        if (regions.isEmpty()) {
            return;
        }
        for (Member member : gateway.sources()) {
            member.active().andNot(regions);
            gateway.ask(member, new Request.Clean((BitSet) regions.clone()), done -> {});
        }
    }
}
