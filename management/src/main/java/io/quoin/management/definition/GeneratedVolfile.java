package io.quoin.management.definition;

import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The volfile of a volume by its definition: bricks, replica sets, stripes, and above them what an
 * embedded volume has.
 *
 * <p>Threading: confined to its thread.
 */
final class GeneratedVolfile {
    private static final String BRICK = "brick-";
    private static final String VOLUME_ID = "volume-id";
    private static final String LAYOUT = "layout";

    private final VolumeDefinition definition;
    private final List<UUID> bricks;
    private final WireOptions wire;
    private final List<VolumeSpec> nodes = new ArrayList<>();

    private GeneratedVolfile(VolumeDefinition definition, List<UUID> bricks, WireOptions wire) {
        this.definition = definition;
        this.bricks = bricks;
        this.wire = wire;
    }

    /**
     * The text.
     *
     * @param bricks who the bricks are, in their order: another one, formatted anew in the place of
     *     a brick, is refused by it; of a replicated volume alone
     * @param wire how daemons are reached
     */
    static String text(VolumeDefinition definition, List<UUID> bricks, WireOptions wire) {
        GeneratedVolfile volfile = new GeneratedVolfile(definition, bricks, wire);
        volfile.addAll();
        return text(definition, Volfile.of(volfile.nodes));
    }

    /** The text of one that was changed since. */
    static String text(VolumeDefinition definition, Volfile volfile) {
        return "# Volume "
                + definition.name()
                + ", made by quoin volume create.\n\n"
                + volfile.print();
    }

    /** The name of a brick's node. */
    static String node(int number) {
        return BRICK + number;
    }

    /** The nodes of one brick of a replicated volume, from the bottom up. */
    static List<VolumeSpec> brick(
            VolumeDefinition definition, int number, UUID brick, WireOptions wire) {
        GeneratedVolfile volfile = new GeneratedVolfile(definition, List.of(), wire);
        volfile.brick(definition.addresses().get(number), number, brick);
        return volfile.nodes;
    }

    private void addAll() {
        List<String> tops = new ArrayList<>();
        for (BrickAddress brick : definition.addresses()) {
            int number = tops.size();
            tops.add(
                    definition.isReplicated()
                            ? brick(brick, number, bricks.get(number))
                            : folder(brick, number));
        }
        if (definition.isReplicated()) {
            tops = replicated(tops);
        }
        String below = tops.get(0);
        if (definition.stripe() > 1) {
            below = node("stripe", "cluster/stripe", Map.of(), tops);
        }
        below = node("images", "features/qcow2", Map.of(), List.of(below));
        below = node("disks", "features/snapshot", Map.of(), List.of(below));
        node("stats", "debug/io-stats", Map.of(), List.of(below));
    }

    private String node(
            String name, String type, Map<String, String> options, List<String> subvolumes) {
        nodes.add(new VolumeSpec(name, type, options, subvolumes));
        return name;
    }

    private String folder(BrickAddress brick, int number) {
        return node(node(number), "storage/posix", Map.of("directory", brick.text()), List.of());
    }

    private String brick(BrickAddress brick, int number, UUID id) {
        Map<String, String> options = new LinkedHashMap<>();
        if (brick.folder() == null) {
            options.put("remote-host", String.valueOf(brick.host()));
            options.put("remote-port", String.valueOf(brick.port()));
        }
        options.put(VOLUME_ID, definition.id());
        options.put("brick-index", String.valueOf(number % definition.replica()));
        options.put("brick-id", id.toString());
        if (brick.folder() == null) {
            putWire(options);
            return node(node(number), "protocol/client", options, List.of());
        }
        options.put(LAYOUT, definition.layout().text());
        Map<String, String> folder = new LinkedHashMap<>();
        folder.put("directory", brick.text());
        folder.put(VOLUME_ID, definition.id());
        String files = node("folder-" + number, "storage/posix", folder, List.of());
        return node(node(number), "protocol/local", options, List.of(files));
    }

    private void putWire(Map<String, String> options) {
        TlsFiles tls = wire.tls();
        if (tls != null) {
            options.put("tls-ca", NameText.of(tls.ca()));
            options.put("tls-cert", NameText.of(tls.certificate()));
            options.put("tls-key", NameText.of(tls.key()));
        }
        if (wire.isInsecure()) {
            options.put("insecure", "on");
        }
    }

    private List<String> replicated(List<String> members) {
        List<String> sets = new ArrayList<>();
        Map<String, String> options = new LinkedHashMap<>();
        options.put(LAYOUT, definition.layout().text());
        options.put(VOLUME_ID, definition.id());
        int size = definition.replica();
        for (int first = 0; first < members.size(); first += size) {
            sets.add(
                    node(
                            "replicate-" + sets.size(),
                            "cluster/replicate",
                            options,
                            members.subList(first, first + size)));
        }
        return sets;
    }
}
