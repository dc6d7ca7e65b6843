package io.quoin.xlator.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Volfiles that differ in a part.
 *
 * <p>Threading: immutable.
 */
public final class VolfileParts {
    private VolfileParts() {}

    /** A node and those below it that no other node uses. */
    public static Set<String> ownBelow(Volfile volfile, String nodeName) {
        Set<String> own = new TreeSet<>(Set.of(nodeName));
        List<VolumeSpec> upwards = volfile.volumes();
        for (int i = upwards.size() - 1; i >= 0; i--) {
            String candidate = upwards.get(i).name();
            List<String> users =
                    upwards.stream()
                            .filter(spec -> spec.subvolumes().contains(candidate))
                            .map(VolumeSpec::name)
                            .toList();
            if (!users.isEmpty() && own.containsAll(users)) {
                own.add(candidate);
            }
        }
        return own;
    }

    /**
     * The same with other nodes in the place of one and of what it alone uses.
     *
     * @param by from the bottom up; the last has the name of the node
     * @throws io.quoin.block.BlockException if it is not sound
     */
    public static Volfile exchange(Volfile volfile, String nodeName, List<VolumeSpec> by) {
        Set<String> gone = ownBelow(volfile, nodeName);
        List<VolumeSpec> next = new ArrayList<>();
        for (VolumeSpec spec : volfile.volumes()) {
            if (spec.name().equals(nodeName)) {
                next.addAll(by);
            } else if (!gone.contains(spec.name())) {
                next.add(spec);
            }
        }
        return Volfile.of(next);
    }
}
