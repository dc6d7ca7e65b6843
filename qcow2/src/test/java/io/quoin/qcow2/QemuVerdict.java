package io.quoin.qcow2;

import io.quoin.testkit.peer.PeerResult;
import java.util.Set;

/**
 * What {@code qemu-img check} has said.
 *
 * <p>Threading: stateless.
 */
public final class QemuVerdict {
    private QemuVerdict() {}

    /** Counts that are too high, and COPIED where it need not be or is not: nothing is lost. */
    public static boolean isLeaksAndFlagsAtWorst(PeerResult check) {
        boolean others =
                (check.stdout() + check.stderr())
                        .lines()
                        .anyMatch(l -> l.startsWith("ERROR ") && !l.contains("OFLAG_COPIED"));
        return !others && Set.of(0, 2, 3).contains(check.exitCode());
    }
}
