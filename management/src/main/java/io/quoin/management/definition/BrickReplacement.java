package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolfileParts;
import io.quoin.xlator.graph.VolumeSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A brick that takes the place of another in a replicated volume. The volfile says which brick a
 * volume has: it is written once the new one is formatted or claimed, and the definition after it.
 * What is cut short before is begun again by the same replacement, what is cut short after that is
 * finished by it.
 *
 * <p>Threading: used by one thread after the other; blocks.
 */
public final class BrickReplacement {
    private static final String LOCAL = "protocol/local";
    private static final String CLIENT = "protocol/client";

    /** How a daemon is reached: as is said for the new one. */
    private static final Set<String> WIRE = Set.of("tls-ca", "tls-cert", "tls-key", "insecure");

    private final VolumeStore store;
    private final VolumeDefinition before;
    private final VolumeDefinition after;
    private final int number;
    private final Volfile volfile;
    private final WireOptions wire;
    private final BrickRules rules;
    private @Nullable UUID made;

    private BrickReplacement(
            VolumeStore store,
            VolumeDefinition before,
            int number,
            String by,
            @Nullable WireOptions wire,
            Map<Path, String> inUse) {
        this.store = store;
        this.before = before;
        this.after = before.withBrick(number, by);
        this.number = number;
        this.volfile = Volfile.read(store.folder(before.name()).volfile());
        this.wire = wire != null ? wire : VolfileWire.of(volfile, store.folder(before.name()));
        this.rules = new BrickRules(after, inUse);
    }

    /**
     * A replacement that can be carried out, as far as is known without touching a brick.
     *
     * @param old the address of a brick
     * @param by where the new one is; the same: in the place of one that was wiped
     * @param wire how daemons are reached; null: as those of the volume
     * @param inUse brick folders of the other volumes, and whose they are
     * @throws BlockException ENOENT if the volume has no such brick, ENOTSUP if no brick of it can
     *     be replaced, EINVAL if its volfile was changed by hand so that it cannot
     */
    static BrickReplacement of(
            VolumeStore store,
            VolumeDefinition volume,
            String old,
            String by,
            @Nullable WireOptions wire,
            Map<Path, String> inUse) {
        int number = volume.bricks().indexOf(BrickAddress.of(old).text());
        if (number < 0) {
            throw new BlockException(
                    BlockError.ENOENT,
                    NearestName.unknown("brick of " + volume.name(), old, volume.bricks()));
        }
        boolean isDeciding = volume.layout() == Layout.TWO && number % volume.replica() == 0;
        if (volume.replica() == 1 || isDeciding) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "brick cannot be replaced: brick="
                            + old
                            + (isDeciding
                                    ? ", reason=the first of two bricks has the deciding vote: the"
                                            + " other alone cannot take in a new one"
                                    : ", reason=no other brick has its data"));
        }
        BrickReplacement replacement =
                new BrickReplacement(
                        store, volume, number, BrickAddress.of(by).text(), wire, inUse);
        replacement.presentNode();
        return replacement;
    }

    /** The number of the brick in the volume, from 0. */
    public int number() {
        return number;
    }

    /** The name of its node. */
    public String node() {
        return GeneratedVolfile.node(number);
    }

    private VolumeSpec presentNode() {
        String name = node();
        String index = String.valueOf(number % before.replica());
        return volfile.volumes().stream()
                .filter(spec -> spec.name().equals(name))
                .filter(spec -> spec.type().equals(LOCAL) || spec.type().equals(CLIENT))
                .filter(spec -> index.equals(spec.options().get("brick-index")))
                .findFirst()
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.EINVAL,
                                        "volfile was changed by hand: path="
                                                + NameText.of(store.folder(before.name()).volfile())
                                                + ", expected=a brick's node with its index: node="
                                                + name
                                                + ", index="
                                                + index));
    }

    /**
     * That the volume is as it was when this was planned.
     *
     * @throws BlockException EBUSY if a brick or an option of it was changed since
     */
    public void requireUnchanged() {
        if (!store.get(before.name()).equals(before)) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "volume was changed while a brick was replaced: name="
                            + before.name()
                            + "; try again");
        }
    }

    private boolean isSamePlace() {
        return before.equals(after);
    }

    /** Whether an attempt that was cut short has given the volfile the new brick. */
    public boolean isInVolfile() {
        return !isSamePlace() && address(presentNode()).equals(after.addresses().get(number));
    }

    private BrickAddress address(VolumeSpec node) {
        if (node.type().equals(CLIENT)) {
            String host = String.valueOf(node.options().get("remote-host"));
            String port = node.options().getOrDefault("remote-port", "24007");
            return BrickAddress.of((host.contains(":") ? "[" + host + "]" : host) + ":" + port);
        }
        String below = node.subvolumes().isEmpty() ? "" : node.subvolumes().get(0);
        return volfile.volumes().stream()
                .filter(spec -> spec.name().equals(below))
                .map(spec -> BrickAddress.of(String.valueOf(spec.options().get("directory"))))
                .findFirst()
                .orElseThrow();
    }

    /**
     * Before the brick that is there is let go of: makes the new one, unless it is in the same
     * place.
     *
     * @param isForced whether what is unwise is done all the same
     * @throws BlockException as {@link BrickRules} and {@link NewBricks} have it; EEXIST if the
     *     brick in the same place is one still
     */
    public void prepare(boolean isForced) {
        Path folder = after.addresses().get(number).folder();
        if (isInVolfile()) {
            return;
        }
        if (!isSamePlace()) {
            rules.checkOne(number, isForced);
            made = new NewBricks(after, wire).makeOne(number);
        } else if (folder != null && BrickDaemon.isFormatted(folder)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "brick is there: path="
                            + NameText.of(folder)
                            + ", expected=an empty folder, as of one that was wiped, or another"
                            + " place");
        }
    }

    /**
     * Once the brick that was there is let go of: makes the new one, if that is not done, and has
     * it from the next start of the volume on.
     *
     * @return its nodes, from the bottom up
     */
    public List<VolumeSpec> carryOut() {
        if (isInVolfile()) {
            store.write(after);
            return partOf(volfile);
        }
        UUID id = made;
        if (id == null) {
            id = new NewBricks(after, wire).makeOne(number);
            if (isSamePlace() && id.toString().equals(presentNode().options().get("brick-id"))) {
                throw new BlockException(
                        BlockError.EEXIST, "brick is there: brick=" + after.bricks().get(number));
            }
        }
        List<VolumeSpec> nodes = withOptions(GeneratedVolfile.brick(after, number, id, wire));
        store.putVolfile(after, VolfileParts.exchange(volfile, node(), nodes));
        store.write(after);
        return nodes;
    }

    private List<VolumeSpec> partOf(Volfile whole) {
        return whole.volumes().stream()
                .filter(spec -> VolfileParts.ownBelow(whole, node()).contains(spec.name()))
                .toList();
    }

    /** With what was set: for the volume, and in the nodes that they replace if of their type. */
    private List<VolumeSpec> withOptions(List<VolumeSpec> nodes) {
        List<VolumeSpec> merged = new ArrayList<>();
        for (VolumeSpec node : nodes) {
            Optional<VolumeSpec> old =
                    partOf(volfile).stream()
                            .filter(spec -> spec.type().equals(node.type()))
                            .findFirst();
            Map<String, String> options = new LinkedHashMap<>(node.options());
            old.ifPresent(
                    spec ->
                            spec.options()
                                    .forEach(
                                            (name, value) -> {
                                                if (!WIRE.contains(name)) {
                                                    options.putIfAbsent(name, value);
                                                }
                                            }));
            VolumeSpec with = new VolumeSpec(node.name(), node.type(), options, node.subvolumes());
            merged.add(VolumeOptions.with(with, before.options()));
        }
        return merged;
    }
}
