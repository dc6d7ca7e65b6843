package io.quoin.xlator;

import java.util.Map;

/**
 * What a new file shall be.
 *
 * <p>Threading: immutable.
 *
 * @param sizeBytes its size; the content reads as zeros, or as the backing file where one is given
 * @param options what the xlator that creates it understands, for example {@code cluster_size} (the
 *     names are qemu-img's); an unknown one is an error
 */
public record CreateOptions(long sizeBytes, Map<String, String> options) {
    public CreateOptions {
        options = Map.copyOf(options);
    }

    public static CreateOptions ofSize(long sizeBytes) {
        return new CreateOptions(sizeBytes, Map.of());
    }
}
