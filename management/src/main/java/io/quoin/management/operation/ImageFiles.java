package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.tools.ImageFormat;
import io.quoin.xlator.NameText;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Image files that requests name.
 *
 * <p>Threading: immutable.
 */
final class ImageFiles {
    private ImageFiles() {}

    /** EINVAL unless it is absolute: the working folder of a service is not its client's. */
    static void requireAbsolute(String file) {
        if (!NameText.path(file).isAbsolute()) {
            throw new BlockException(BlockError.EINVAL, "path is not absolute: path=" + file);
        }
    }

    /** The format of that name; null stays null. */
    static @Nullable ImageFormat format(@Nullable String text) {
        return text == null
                ? null
                : Arrays.stream(ImageFormat.values())
                        .filter(format -> format.text().equals(text))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new BlockException(
                                                BlockError.EINVAL,
                                                "wrong argument: name=format, expected=qcow2 or"
                                                        + " raw, actual="
                                                        + text));
    }
}
