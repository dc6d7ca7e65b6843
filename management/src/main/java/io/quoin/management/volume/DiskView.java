package io.quoin.management.volume;

import java.util.Map;

/**
 * A disk as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param name its name
 * @param sizeBytes what the guest sees
 * @param allocatedBytes what its image takes up, without backing files
 * @param connections what is attached to it now, over NBD and in the process
 * @param details format and more of the image, for one disk alone; else empty
 */
public record DiskView(
        String name,
        long sizeBytes,
        long allocatedBytes,
        int connections,
        Map<String, Object> details) {
    /** The same with {@code prefix} before its name. */
    public DiskView in(String prefix) {
        return new DiskView(prefix + name, sizeBytes, allocatedBytes, connections, details);
    }
}
