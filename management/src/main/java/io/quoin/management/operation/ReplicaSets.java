package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.Graph;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The replica sets in the graph of a volume.
 *
 * <p>Threading: immutable.
 */
final class ReplicaSets {
    private static final String TYPE = "cluster/replicate";

    private ReplicaSets() {}

    /**
     * That there are some.
     *
     * @throws BlockException ENOTSUP if nothing is copied
     */
    static void require(String name, ManagedVolume volume) {
        if (of(volume).isEmpty()) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "volume has no copies: name=" + name + ", expected=one with replica");
        }
    }

    /** By the names of their nodes, in the order of the volfile; none where nothing is copied. */
    static Map<String, ReplicaAdmin> of(ManagedVolume volume) {
        Graph graph = volume.disks().graph();
        Map<String, ReplicaAdmin> sets = new LinkedHashMap<>();
        for (String name : graph.names()) {
            Xlator node = graph.node(name);
            if (node.type().equals(TYPE)) {
                node.extension(ReplicaAdmin.class).ifPresent(admin -> sets.put(name, admin));
            }
        }
        return sets;
    }
}
