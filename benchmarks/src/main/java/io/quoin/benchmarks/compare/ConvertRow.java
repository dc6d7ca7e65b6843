package io.quoin.benchmarks.compare;

import java.util.List;

/**
 * A conversion under comparison, in options that Quoin and qemu-img share.
 *
 * <p>Threading: immutable.
 *
 * @param fromCompressed whether the source is the compressed image or the raw one
 */
record ConvertRow(
        String name, boolean fromCompressed, String targetFormat, List<String> targetOptions) {
    private static final List<String> ZSTD = List.of("-c", "-o", "compression_type=zstd");

    static final List<ConvertRow> ALL =
            List.of(
                    new ConvertRow("raw to zstd", false, "qcow2", ZSTD),
                    new ConvertRow("zstd to raw", true, "raw", List.of()),
                    new ConvertRow("zstd to qcow2", true, "qcow2", List.of()),
                    new ConvertRow("zstd to zstd", true, "qcow2", ZSTD));

    String sourceFormat() {
        return fromCompressed ? "qcow2" : "raw";
    }
}
