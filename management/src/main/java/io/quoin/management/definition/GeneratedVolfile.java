package io.quoin.management.definition;

import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The volfile of a volume by its definition: bricks, replica sets, stripes, and above them what an
 * embedded volume has.
 *
 * <p>Threading: immutable.
 */
final class GeneratedVolfile {
    private static final String BRICK = "brick-";

    private GeneratedVolfile() {}

    static String text(VolumeDefinition definition) {
        return "# Volume "
                + definition.name()
                + ", made by quoin volume create.\n\n"
                + Volfile.of(nodes(definition)).print();
    }

    private static List<VolumeSpec> nodes(VolumeDefinition definition) {
        List<VolumeSpec> nodes = new ArrayList<>();
        List<String> tops = new ArrayList<>();
        for (BrickAddress brick : definition.addresses()) {
            tops.add(BRICK + tops.size());
            nodes.add(brick.node(tops.get(tops.size() - 1)));
        }
        if (definition.replica() > 1) {
            tops = replicated(definition, tops, nodes);
        }
        String below = tops.get(0);
        if (definition.stripe() > 1) {
            below = "stripe";
            nodes.add(new VolumeSpec(below, "cluster/stripe", Map.of(), tops));
        }
        nodes.add(above("images", "features/qcow2", below));
        nodes.add(above("disks", "features/snapshot", "images"));
        nodes.add(above("stats", "debug/io-stats", "disks"));
        return nodes;
    }

    private static List<String> replicated(
            VolumeDefinition definition, List<String> bricks, List<VolumeSpec> nodes) {
        List<String> sets = new ArrayList<>();
        Map<String, String> options =
                definition.arbiter() == 0
                        ? Map.of()
                        : Map.of("arbiter-count", String.valueOf(definition.arbiter()));
        int size = definition.replica();
        for (int first = 0; first < bricks.size(); first += size) {
            String name = "replicate-" + sets.size();
            sets.add(name);
            nodes.add(
                    new VolumeSpec(
                            name,
                            "cluster/replicate",
                            options,
                            bricks.subList(first, first + size)));
        }
        return sets;
    }

    private static VolumeSpec above(String name, String type, String below) {
        return new VolumeSpec(name, type, Map.of(), List.of(below));
    }
}
