package io.quoin.xlator.graph;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One {@code volume ... end-volume} of a volfile: a node of the graph to be built.
 *
 * <p>Threading: immutable.
 *
 * @param name of the node
 * @param type of the node, for example {@code storage/posix}
 * @param options as given, in order
 * @param subvolumes names of the nodes below, in order
 */
public record VolumeSpec(
        String name, String type, Map<String, String> options, List<String> subvolumes) {
    public VolumeSpec {
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
        subvolumes = List.copyOf(subvolumes);
    }
}
