package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.NearestName;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The options of a volume that can be set: those of its nodes, called by their type and name as in
 * {@code qcow2.cache-size}, one value for all nodes of a type. What says which brick a node is, or
 * what is only for tests, is none of them.
 *
 * <p>Threading: immutable.
 */
public final class VolumeOptions {
    private static final Set<String> FIXED =
            Set.of(
                    "posix.directory",
                    "posix.brick",
                    "posix.locking",
                    "posix.volume-id",
                    "posix.cold-reads",
                    "local.volume-id",
                    "local.brick-index",
                    "local.brick-id",
                    "local.layout",
                    "client.remote-host",
                    "client.remote-port",
                    "client.volume-id",
                    "client.brick-index",
                    "client.brick-id",
                    "replicate.layout",
                    "replicate.volume-id");

    /** As GlusterFS calls them. */
    private static final Map<String, String> ALIASES =
            Map.of(
                    "network.ping-timeout", "client.ping-timeout",
                    "cluster.stripe-block-size", "stripe.block-size");

    /** What GlusterFS has, by how it begins, and why it is not here. */
    private static final Map<String, String> NEEDLESS =
            new TreeMap<>(
                    Map.of(
                            "features.shard",
                            "an image is one file, or striped: see stripe",
                            "cluster.quorum-",
                            "writes always need a majority of the bricks: see layouts",
                            "cluster.self-heal-",
                            "open files are healed by themselves, others by volume heal",
                            "cluster.heal-",
                            "open files are healed by themselves, others by volume heal",
                            "performance.",
                            "there is no such cache",
                            "client.ssl",
                            "set client.tls-ca, client.tls-cert and client.tls-key",
                            "server.ssl",
                            "TLS of a brick daemon is given to quoin brick"));

    private final Volfile volfile;
    private final XlatorTypes types;
    private final Map<String, Setting> settings = new TreeMap<>();

    /**
     * An option.
     *
     * @param type of its nodes
     */
    private record Setting(XlatorType type, Option option) {}

    /**
     * As it is shown.
     *
     * @param name as in {@code qcow2.cache-size}
     * @param value which the nodes have; the first of them if it was changed by hand in one
     * @param defaultValue where nothing is set
     * @param isSet whether it was set by command
     * @param expected what a value looks like
     * @param description one sentence
     */
    public record Value(
            String name,
            String value,
            String defaultValue,
            boolean isSet,
            String expected,
            String description) {}

    VolumeOptions(Volfile volfile) {
        this.volfile = volfile;
        this.types = XlatorTypes.load();
        for (VolumeSpec spec : volfile.volumes()) {
            XlatorType type = type(spec);
            for (Option option : type.options().options()) {
                String name = name(spec.type(), option.name());
                if (!FIXED.contains(name)) {
                    settings.put(name, new Setting(type, option));
                }
            }
        }
    }

    private XlatorType type(VolumeSpec spec) {
        return types.find(spec.type())
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.EINVAL,
                                        "unknown xlator type in the volfile: type=" + spec.type()));
    }

    private static String name(String type, String option) {
        return type.substring(type.indexOf('/') + 1) + "." + option;
    }

    /**
     * The name of an option as it is called here.
     *
     * @throws BlockException EINVAL if the volume has none of that name
     */
    String resolve(String given) {
        String name = ALIASES.getOrDefault(given, given);
        if (settings.containsKey(name)) {
            return name;
        }
        String needless =
                NEEDLESS.entrySet().stream()
                        .filter(entry -> name.startsWith(entry.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(null);
        String why =
                needless != null
                        ? "option is not needed here: name=" + given + "; " + needless
                        : FIXED.contains(name)
                                ? "option cannot be set: name="
                                        + given
                                        + "; it says which brick a node is"
                                : NearestName.unknown(
                                        "option of the volume", given, settings.keySet());
        throw new BlockException(BlockError.EINVAL, why);
    }

    /** All, by name. */
    List<Value> values(Map<String, String> set) {
        List<Value> values = new ArrayList<>();
        settings.forEach(
                (name, setting) -> {
                    Option option = setting.option;
                    String standard = String.valueOf(option.defaultValue());
                    String value =
                            volfile.volumes().stream()
                                    .filter(spec -> spec.type().equals(setting.type.type()))
                                    .map(
                                            spec ->
                                                    spec.options()
                                                            .getOrDefault(option.name(), standard))
                                    .findFirst()
                                    .orElse(standard);
                    values.add(
                            new Value(
                                    name,
                                    value,
                                    standard,
                                    set.containsKey(name),
                                    expected(option),
                                    option.description()));
                });
        return values;
    }

    private static String expected(Option option) {
        return option.type() == Option.Type.CHOICE
                ? String.join(", ", option.choices())
                : option.type().text();
    }

    /**
     * The volfile with other values.
     *
     * @param changes by {@linkplain #resolve resolved} name; an empty text takes an option back
     * @throws BlockException EINVAL, naming the option and what it can be
     */
    Volfile with(Map<String, String> changes) {
        List<VolumeSpec> next = new ArrayList<>();
        for (VolumeSpec spec : volfile.volumes()) {
            VolumeSpec changed = with(spec, changes);
            if (!changed.equals(spec)) {
                requireLegal(changed, changes);
            }
            next.add(changed);
        }
        return Volfile.of(next);
    }

    /** A node with what was set for its type. */
    static VolumeSpec with(VolumeSpec spec, Map<String, String> changes) {
        Map<String, String> options = new LinkedHashMap<>(spec.options());
        String prefix = name(spec.type(), "");
        changes.forEach(
                (name, value) -> {
                    if (name.startsWith(prefix)) {
                        String option = name.substring(prefix.length());
                        if (value.isEmpty()) {
                            options.remove(option);
                        } else {
                            options.put(option, value);
                        }
                    }
                });
        return new VolumeSpec(spec.name(), spec.type(), options, spec.subvolumes());
    }

    /** First each value alone, so that the message names the option as it was given. */
    private void requireLegal(VolumeSpec spec, Map<String, String> changes) {
        changes.forEach(
                (name, value) -> {
                    Setting setting = settings.get(name);
                    if (setting != null && !value.isEmpty()) {
                        Option named =
                                new Option(
                                        name,
                                        setting.option.type(),
                                        setting.option.defaultValue(),
                                        setting.option.choices(),
                                        setting.option.description());
                        OptionValues unused =
                                new OptionValues(
                                        new OptionTable(List.of(named)), Map.of(name, value));
                    }
                });
        XlatorType type = type(spec);
        type.check(spec.name(), new OptionValues(type.options(), spec.options()));
    }

    /** The nodes of an option's type, and what it is called there. */
    List<NodeOption> nodes(String name) {
        Setting setting = settings.get(name);
        return setting == null
                ? List.of()
                : volfile.volumes().stream()
                        .filter(spec -> spec.type().equals(setting.type.type()))
                        .map(spec -> new NodeOption(spec.name(), setting.option.name()))
                        .toList();
    }

    /**
     * An option of one node.
     *
     * @param node its name
     * @param option its name there
     */
    public record NodeOption(String node, String option) {}
}
