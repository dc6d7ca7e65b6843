package io.quoin.management.volume;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A disk as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param name its name
 * @param sizeBytes what the guest sees; 0 of one that cannot be read
 * @param allocatedBytes what its image takes up, without backing files
 * @param connections what is attached to it now, over NBD and in the process
 * @param problem why its image cannot be read; null for one that can
 * @param details format and more of the image, for one disk alone; else empty
 */
public record DiskView(
        String name,
        long sizeBytes,
        long allocatedBytes,
        int connections,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String problem,
        Map<String, Object> details) {
    /** The same with {@code prefix} before its name. */
    public DiskView in(String prefix) {
        return new DiskView(
                prefix + name, sizeBytes, allocatedBytes, connections, problem, details);
    }
}
