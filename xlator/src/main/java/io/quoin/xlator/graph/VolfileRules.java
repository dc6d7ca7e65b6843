package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.Volfile.Item;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What makes a volfile sound: unique names, subvolumes defined before they are used, so no cycles,
 * and one top.
 *
 * <p>Threading: immutable.
 */
final class VolfileRules {
    private VolfileRules() {}

    static void check(Volfile volfile) {
        List<VolumeSpec> volumes = volfile.volumes();
        if (volumes.isEmpty()) {
            throw new BlockException(BlockError.EINVAL, "graph has no volumes");
        }
        Map<String, Integer> numbers = new HashMap<>();
        for (int i = 0; i < volumes.size(); i++) {
            String name = volumes.get(i).name();
            if (name.isEmpty()) {
                throw volfile.error(new Item(i, name, Item.NAME), "volume has an empty name");
            }
            if (numbers.putIfAbsent(name, i) != null) {
                throw volfile.error(
                        new Item(i, name, Item.NAME), "volume is defined twice: name=" + name);
            }
        }
        for (int i = 0; i < volumes.size(); i++) {
            checkSubvolumes(volfile, i, numbers);
        }
        checkTop(volfile);
    }

    private static void checkSubvolumes(Volfile volfile, int index, Map<String, Integer> numbers) {
        VolumeSpec volume = volfile.volumes().get(index);
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < volume.subvolumes().size(); i++) {
            String subvolume = volume.subvolumes().get(i);
            Item item = new Item(index, volume.name(), Item.subvolume(i));
            Integer number = numbers.get(subvolume);
            if (number == null) {
                throw volfile.error(
                        item, NearestName.unknown("subvolume", subvolume, names(volfile)));
            }
            if (!seen.add(subvolume)) {
                throw volfile.error(item, "subvolume is listed twice: name=" + subvolume);
            }
            if (number >= index) {
                List<String> cycle = findPath(volfile, numbers, number, index);
                throw volfile.error(
                        item,
                        cycle == null
                                ? "subvolume is defined later: name="
                                        + subvolume
                                        + ", expected=above volume "
                                        + volume.name()
                                : "volumes form a cycle: "
                                        + volume.name()
                                        + " -> "
                                        + String.join(" -> ", cycle));
            }
        }
    }

    /** The way down from one volume to another, both included; null if there is none. */
    private static @Nullable List<String> findPath(
            Volfile volfile, Map<String, Integer> numbers, int from, int to) {
        Map<Integer, Integer> above = new HashMap<>();
        Deque<Integer> open = new ArrayDeque<>(List.of(from));
        above.put(from, -1);
        while (!open.isEmpty()) {
            int current = open.remove();
            if (current == to) {
                return path(volfile, above, to);
            }
            for (String subvolume : volfile.volumes().get(current).subvolumes()) {
                Integer number = numbers.get(subvolume);
                if (number != null && above.putIfAbsent(number, current) == null) {
                    open.add(number);
                }
            }
        }
        return null;
    }

    private static List<String> path(Volfile volfile, Map<Integer, Integer> above, int to) {
        List<String> path = new ArrayList<>();
        for (int i = to; i >= 0; i = above.getOrDefault(i, -1)) {
            path.add(0, volfile.volumes().get(i).name());
        }
        return path;
    }

    private static void checkTop(Volfile volfile) {
        List<String> tops = new ArrayList<>(names(volfile));
        volfile.volumes().forEach(volume -> tops.removeAll(volume.subvolumes()));
        if (tops.size() > 1) {
            int index = names(volfile).indexOf(tops.get(0));
            throw volfile.error(
                    new Item(index, tops.get(0), Item.NAME),
                    "graph has more than one top: names="
                            + String.join(", ", tops)
                            + ", expected=every volume but one is a subvolume");
        }
    }

    private static List<String> names(Volfile volfile) {
        return volfile.volumes().stream().map(VolumeSpec::name).toList();
    }
}
