package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.NearestName;
import java.util.Arrays;
import java.util.Optional;

/**
 * The image formats of a disk. The format follows from the suffix of the file and is never guessed
 * from its content, which the guest can write.
 *
 * <p>Threading: immutable.
 */
enum DiskFormat {
    QCOW2("qcow2"),
    RAW("raw");

    /** The create option that chooses it; taken off before the rest is passed down. */
    static final String OPTION = "format";

    private final String text;

    DiskFormat(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    String fileName(String disk) {
        return disk + '.' + text;
    }

    /** The disk that a file below is the image of, if it is one. */
    Optional<String> diskOf(String fileName) {
        String suffix = '.' + text;
        if (!fileName.endsWith(suffix)) {
            return Optional.empty();
        }
        String disk = fileName.substring(0, fileName.length() - suffix.length());
        return DiskName.isLegal(disk) ? Optional.of(disk) : Optional.empty();
    }

    static DiskFormat parse(String text) {
        return Arrays.stream(values())
                .filter(format -> format.text.equals(text))
                .findFirst()
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.EINVAL,
                                        NearestName.unknown(
                                                "disk format",
                                                text,
                                                Arrays.stream(values())
                                                        .map(DiskFormat::text)
                                                        .toList())));
    }
}
