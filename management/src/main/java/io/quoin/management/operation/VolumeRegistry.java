package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The volumes of this process, by name. Each has a data folder, a lock and jobs of its own.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeRegistry {
    /** Of the one volume of a service that has one. */
    public static final String ONLY = "default";

    private final Map<String, ManagedVolume> volumes = new TreeMap<>();

    /** Adds one; EEXIST if there is one of that name. */
    public synchronized void add(String name, ManagedVolume volume) {
        if (volumes.putIfAbsent(name, volume) != null) {
            throw new BlockException(BlockError.EEXIST, "volume is there already: name=" + name);
        }
    }

    /** Takes one out, which its owner then closes. */
    public synchronized void remove(String name) {
        volumes.remove(name);
    }

    /**
     * The volume of a name.
     *
     * @param name null for the only one
     * @throws BlockException ENOENT if there is none, EINVAL if there are several to choose from
     */
    public synchronized ManagedVolume get(@Nullable String name) {
        ManagedVolume found =
                name == null && volumes.size() == 1
                        ? volumes.values().iterator().next()
                        : volumes.get(name == null ? "" : name);
        if (found == null) {
            throw new BlockException(
                    name == null && !volumes.isEmpty() ? BlockError.EINVAL : BlockError.ENOENT,
                    "no such volume: name="
                            + (name == null ? "none given" : name)
                            + ", expected="
                            + String.join(" or ", volumes.keySet()));
        }
        return found;
    }
}
