package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.boundary.BoundaryXlator;
import io.quoin.xlator.graph.Volfile.Item;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a volfile, made and connected, with a checked boundary above each of them.
 *
 * <p>Threading: thread-safe.
 */
public final class Graph {
    /** How long a node that is exchanged is waited for: its storage may not answer any more. */
    private static final long CLOSE_SECONDS = 10;

    private final XlatorTypes types;
    private final GraphContext context;
    private final Node top;

    /** From the bottom up; another map after each exchange. */
    private volatile Map<String, Node> nodes = Map.of();

    private volatile Volfile volfile;

    private Graph(Volfile volfile, XlatorTypes types, GraphContext context) {
        this.volfile = volfile;
        this.types = types;
        this.context = context;
        checkAll(volfile, types);
        make(volfile);
        top = find(volfile.top().name());
    }

    /**
     * Builds a graph of the types on the class path.
     *
     * @throws BlockException if a type or option is unknown or wrong (with its place in the
     *     volfile), or a node cannot be made; nodes made before it are closed
     */
    public static Graph build(Volfile volfile, GraphContext context) {
        return build(volfile, context, XlatorTypes.load());
    }

    /** As {@link #build(Volfile, GraphContext)}, of these types only. */
    public static Graph build(Volfile volfile, GraphContext context, XlatorTypes types) {
        return new Graph(volfile, types, context);
    }

    /** Checks types, options and the number of subvolumes, and makes nothing. */
    public static void checkAll(Volfile volfile, XlatorTypes types) {
        for (int i = 0; i < volfile.volumes().size(); i++) {
            check(volfile, i, types);
        }
    }

    private static void check(Volfile volfile, int index, XlatorTypes types) {
        VolumeSpec spec = volfile.volumes().get(index);
        Item typeItem = new Item(index, spec.name(), Item.TYPE);
        XlatorType type = types.find(spec.type()).orElse(null);
        if (type == null) {
            throw volfile.error(
                    typeItem, NearestName.unknown("xlator type", spec.type(), types.names()));
        }
        List<String> names = type.options().options().stream().map(Option::name).toList();
        for (String option : spec.options().keySet()) {
            if (!names.contains(option)) {
                throw volfile.error(
                        new Item(index, spec.name(), Item.option(option)),
                        NearestName.unknown("option of " + type.type(), option, names));
            }
        }
        checkValues(volfile, index, type);
        int count = spec.subvolumes().size();
        if (count < type.subvolumesMin() || count > type.subvolumesMax()) {
            Item item = count == 0 ? typeItem : new Item(index, spec.name(), Item.SUBVOLUMES);
            throw volfile.error(
                    item,
                    "wrong number of subvolumes: type="
                            + type.type()
                            + ", expected="
                            + range(type.subvolumesMin(), type.subvolumesMax())
                            + ", actual="
                            + count);
        }
    }

    /** Checks one value after the other, so that an error has the place of its option. */
    private static void checkValues(Volfile volfile, int index, XlatorType type) {
        VolumeSpec spec = volfile.volumes().get(index);
        for (Option option : type.options().options()) {
            String value = spec.options().get(option.name());
            boolean isMissing = value == null && option.defaultValue() == null;
            String part = isMissing ? Item.TYPE : Item.option(option.name());
            try {
                new OptionValues(
                        new OptionTable(List.of(option)),
                        value == null ? Map.of() : Map.of(option.name(), value));
            } catch (BlockException e) {
                throw volfile.error(new Item(index, spec.name(), part), e);
            }
        }
    }

    private static String range(int min, int max) {
        return min == max
                ? String.valueOf(min)
                : max == Integer.MAX_VALUE ? min + " or more" : min + " to " + max;
    }

    /** Makes the nodes that are missing; if one cannot be made the others are closed. */
    private void make(Volfile source) {
        Map<String, Node> made = new LinkedHashMap<>();
        for (int i = 0; i < source.volumes().size(); i++) {
            VolumeSpec spec = source.volumes().get(i);
            Node present = nodes.get(spec.name());
            try {
                made.put(spec.name(), present == null ? make(spec, made) : present);
            } catch (RuntimeException | Error e) {
                List<Node> fresh = new ArrayList<>(made.values());
                fresh.removeAll(nodes.values());
                CompletionStage<Void> unused = close(fresh);
                if (e instanceof BlockException known) {
                    throw source.error(new Item(i, spec.name(), Item.NAME), known);
                }
                throw e;
            }
        }
        nodes = made;
    }

    private Node make(VolumeSpec spec, Map<String, Node> below) {
        XlatorType type = types.find(spec.type()).orElseThrow();
        List<Xlator> subvolumes = new ArrayList<>();
        spec.subvolumes().forEach(name -> subvolumes.add(find(name, below).boundary));
        Xlator xlator =
                type.create(
                        spec.name(),
                        new OptionValues(type.options(), spec.options()),
                        Collections.unmodifiableList(subvolumes),
                        context);
        return new Node(spec.name(), type, xlator, new BoundaryXlator(xlator));
    }

    /** The top node, behind its boundary. */
    public Xlator top() {
        return top.boundary;
    }

    /**
     * A node by its name, behind its boundary.
     *
     * @throws BlockException ENOENT if there is none
     */
    public Xlator node(String name) {
        return find(name).boundary;
    }

    /** The names of the nodes, from the bottom up. */
    public List<String> names() {
        return List.copyOf(nodes.keySet());
    }

    /** The volfile that would build the graph as it is now. */
    public Volfile volfile() {
        return volfile;
    }

    private Node find(String name) {
        return find(name, nodes);
    }

    private static Node find(String name, Map<String, Node> nodes) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new BlockException(
                    BlockError.ENOENT, NearestName.unknown("node", name, nodes.keySet()));
        }
        return node;
    }

    /**
     * Puts another node in the place of one while the graph runs. The one above lets go of it; it
     * is closed, with what lies below it and is of no other use; then the others are made. Blocks:
     * not on a loop.
     *
     * @param by gives the new node's name, the same, and what lies below it, from the bottom up;
     *     asked once the old one is closed. If it fails, or a new node cannot be made, the old one
     *     is made again
     * @throws BlockException ENOENT if there is no such node, ENOTSUP if the one above cannot do it
     */
    public synchronized void exchange(String nodeName, Supplier<List<VolumeSpec>> by) {
        find(nodeName);
        VolumeSpec above =
                volfile.volumes().stream()
                        .filter(spec -> spec.subvolumes().contains(nodeName))
                        .findFirst()
                        .orElseThrow(() -> cannotExchange(nodeName));
        if (!(find(above.name()).xlator instanceof SubvolumeExchange user)) {
            throw cannotExchange(nodeName);
        }
        int number = above.subvolumes().indexOf(nodeName);
        Volfile before = volfile;
        Stages.await(user.release(number));
        remove(nodeName);
        try {
            volfile = replaced(before, nodeName, by.get());
            make(volfile);
        } catch (RuntimeException | Error e) {
            volfile = before;
            make(before);
            user.take(number, find(nodeName).boundary);
            throw e;
        }
        user.take(number, find(nodeName).boundary);
    }

    private static BlockException cannotExchange(String nodeName) {
        return new BlockException(
                BlockError.ENOTSUP,
                "node cannot be exchanged while the graph runs: node=" + nodeName);
    }

    /** Closes a node and what it alone uses; a failure is no reason to keep it. */
    private void remove(String nodeName) {
        Set<String> gone = VolfileParts.ownBelow(volfile, nodeName);
        List<Node> closing = nodes.values().stream().filter(n -> gone.contains(n.name)).toList();
        Map<String, Node> kept = new LinkedHashMap<>(nodes);
        kept.keySet().removeAll(gone);
        nodes = kept;
        Stages.await(
                close(closing)
                        .toCompletableFuture()
                        .copy()
                        .orTimeout(CLOSE_SECONDS, TimeUnit.SECONDS)
                        .exceptionally(failure -> null));
    }

    private Volfile replaced(Volfile before, String nodeName, List<VolumeSpec> by) {
        Volfile next = VolfileParts.exchange(before, nodeName, by);
        checkAll(next, types);
        return next;
    }

    /**
     * Changes an option while the graph runs.
     *
     * @param value null to go back to the default
     * @throws BlockException if there is no such node or option, the value is wrong, or the option
     *     needs the graph to be built anew (ENOTSUP)
     */
    public synchronized void reconfigure(String nodeName, String option, @Nullable String value) {
        Node node = find(nodeName);
        int index = names().indexOf(nodeName);
        VolumeSpec spec = volfile.volumes().get(index);
        Map<String, String> given = new LinkedHashMap<>(spec.options());
        if (value == null) {
            given.remove(option);
        } else {
            given.put(option, value);
        }
        OptionValues values = new OptionValues(node.type.options(), given);
        if (node.type.options().find(option).isEmpty()) {
            List<String> names = node.type.options().options().stream().map(Option::name).toList();
            throw new BlockException(
                    BlockError.EINVAL, NearestName.unknown("option", option, names));
        }
        if (!(node.xlator instanceof Reconfigurable live) || !live.liveOptions().contains(option)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "option cannot be changed while the graph runs: node="
                            + nodeName
                            + ", option="
                            + option);
        }
        live.reconfigure(values);
        List<VolumeSpec> volumes = new ArrayList<>(volfile.volumes());
        volumes.set(index, new VolumeSpec(nodeName, spec.type(), given, spec.subvolumes()));
        volfile = Volfile.of(volumes);
    }

    /** What all nodes have counted, from the top down. */
    public NodeStatistics statistics() {
        return statistics(top);
    }

    private NodeStatistics statistics(Node node) {
        Map<String, Object> values = new TreeMap<>(node.boundary.statistics());
        if (node.xlator instanceof StatisticsSource source) {
            values.putAll(source.statistics());
        }
        List<NodeStatistics> below = new ArrayList<>();
        for (Xlator subvolume : node.xlator.subvolumes()) {
            Node child = nodes.get(subvolume.name());
            if (child != null) {
                below.add(statistics(child));
            }
        }
        return new NodeStatistics(node.name, node.type.type(), values, below);
    }

    /**
     * Closes the nodes from the top down, each once the one above is closed, all of them even if
     * one fails. Every file is closed before.
     */
    public CompletionStage<Void> close() {
        return close(nodes.values());
    }

    /**
     * @param upwards from the bottom up
     */
    private static CompletionStage<Void> close(Collection<Node> upwards) {
        List<Node> downwards = new ArrayList<>(upwards);
        Collections.reverse(downwards);
        CompletionStage<Void> done = CompletableFuture.completedFuture(null);
        for (Node node : downwards) {
            done =
                    done.handle((nothing, before) -> new Outcome(before))
                            .thenCompose(before -> before.join(node.boundary.close()));
        }
        return done;
    }

    private record Node(String name, XlatorType type, Xlator xlator, BoundaryXlator boundary) {}

    /** How closing went so far: the first failure is kept. */
    private record Outcome(@Nullable Throwable before) {
        CompletionStage<Void> join(CompletionStage<Void> closing) {
            CompletableFuture<Void> result = new CompletableFuture<>();
            closing.whenComplete(
                    (nothing, failure) -> {
                        Throwable first = before != null ? before : failure;
                        if (first == null) {
                            result.complete(null);
                        } else {
                            result.completeExceptionally(
                                    first instanceof CompletionException wrapper
                                                    && wrapper.getCause() != null
                                            ? wrapper.getCause()
                                            : first);
                        }
                    });
            return result;
        }
    }
}
