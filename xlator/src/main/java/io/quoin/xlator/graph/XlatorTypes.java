package io.quoin.xlator.graph;

import io.quoin.block.Invariant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * The xlator types that volfiles may name.
 *
 * <p>Threading: immutable.
 */
public final class XlatorTypes {
    private final Map<String, XlatorType> types = new TreeMap<>();

    private XlatorTypes(Iterable<XlatorType> found) {
        for (XlatorType type : found) {
            Invariant.check(types.put(type.type(), type) == null, "two xlators have the same type");
        }
    }

    /** Every type on the class path. */
    public static XlatorTypes load() {
        return new XlatorTypes(
                ServiceLoader.load(XlatorType.class, XlatorType.class.getClassLoader()));
    }

    public static XlatorTypes of(Collection<XlatorType> types) {
        return new XlatorTypes(types);
    }

    /** Sorted by type. */
    public List<XlatorType> all() {
        return List.copyOf(types.values());
    }

    public Optional<XlatorType> find(String type) {
        return Optional.ofNullable(types.get(type));
    }

    List<String> names() {
        return List.copyOf(types.keySet());
    }
}
