package io.quoin.xlator.graph;

import java.util.List;
import java.util.Map;

/**
 * What a node and the nodes below it have counted.
 *
 * <p>Threading: immutable.
 *
 * @param name of the node
 * @param type of the node
 * @param values plain values, lists and maps
 * @param subvolumes the nodes below, in order
 */
public record NodeStatistics(
        String name, String type, Map<String, Object> values, List<NodeStatistics> subvolumes) {}
