package io.quoin.replicate.link;

import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Layout;
import io.quoin.replicate.store.BrickHost;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.boundary.BoundaryXlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.NodeStates;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Bricks in memory and the nodes above them, as a volfile would make them. */
public final class LocalBricks {
    private static final long LOG_BYTES = 256 << 10;

    private final VirtualLoopGroup loops;
    private final Layout layout;
    private final UUID volume = UUID.randomUUID();
    private final List<MemoryXlator> storage = new ArrayList<>();
    private final MemoryStates states = new MemoryStates();

    /** Formatted ones. */
    public LocalBricks(VirtualLoopGroup loops, Layout layout, boolean isDirect) {
        this.loops = loops;
        this.layout = layout;
        for (int i = 0; i < layout.voters(); i++) {
            MemoryXlator brick = new MemoryXlator("brick" + i, isDirect);
            storage.add(brick);
            format(brick, i);
        }
    }

    private void format(MemoryXlator brick, int index) {
        Loop loop = loops.loop(0);
        loops.await(BrickHost.format(brick, loop, volume, index, layout, LOG_BYTES));
    }

    /** What brick {@code index} is kept on. */
    public MemoryXlator storage(int index) {
        return storage.get(index);
    }

    /** Puts other storage under a brick, for the next {@link #node}. */
    public void storage(int index, MemoryXlator other) {
        storage.set(index, other);
    }

    /** Formats another brick at an index, in memory of its own, for the next {@link #node}. */
    public void replace(int index) {
        MemoryXlator other = new MemoryXlator("brick" + index, false);
        format(other, index);
        storage.set(index, other);
    }

    public GraphContext context() {
        return new GraphContext(
                loops, loops.blocking(), Path.of("/"), ProcessMemory.ofDefault(), states);
    }

    /** A protocol/local node, behind its boundary. */
    public Xlator node(int index) {
        return node(index, storage.get(index));
    }

    public Xlator node(int index, Xlator below) {
        return new BoundaryXlator(
                create(
                        new LocalType(),
                        "s" + index,
                        List.of(new BoundaryXlator(below)),
                        Map.of("brick-index", String.valueOf(index), "layout", layout.text())));
    }

    /** All nodes. */
    public List<Xlator> nodes() {
        List<Xlator> nodes = new ArrayList<>();
        for (int i = 0; i < layout.voters(); i++) {
            nodes.add(node(i));
        }
        return nodes;
    }

    /** A node of a type with these options and the volume's id. */
    public Xlator create(
            XlatorType type, String name, List<Xlator> below, Map<String, String> options) {
        Map<String, String> given = new LinkedHashMap<>(options);
        given.put("volume-id", volume.toString());
        return type.create(name, new OptionValues(type.options(), given), below, context());
    }

    /** Ends a brick's node: its link goes down for good. */
    public void lose(Xlator node) {
        loops.await(node.close());
    }

    /** What nodes keep, over all mounts. */
    public NodeStates states() {
        return states;
    }

    /** Why a node's brick cannot be reached. */
    public static String failure(Xlator node) {
        return String.valueOf(node.extension(BrickLink.class).orElseThrow().failure());
    }

    public VirtualLoop loop() {
        return loops.loop(0);
    }

    private static final class MemoryStates implements NodeStates {
        private final Map<String, byte[]> contents = new ConcurrentHashMap<>();

        @Override
        public Optional<byte[]> read(String node) {
            return Optional.ofNullable(contents.get(node));
        }

        @Override
        public void write(String node, byte[] content) {
            contents.put(node, content.clone());
        }
    }
}
