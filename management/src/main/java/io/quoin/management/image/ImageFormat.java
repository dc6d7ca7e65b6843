package io.quoin.management.image;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The formats of image files.
 *
 * <p>Threading: immutable.
 */
public enum ImageFormat {
    QCOW2,
    RAW;

    /**
     * The format given, else by the suffix: raw for {@code *.raw} and {@code *.img}, qcow2 for all
     * others. Never by the content, since a guest can write a qcow2 header into a raw image.
     */
    public static ImageFormat choose(@Nullable ImageFormat given, String fileName) {
        if (given != null) {
            return given;
        }
        String name = fileName.toLowerCase(Locale.ROOT);
        return name.endsWith(".raw") || name.endsWith(".img") ? RAW : QCOW2;
    }

    /** The name by which qemu-img and the command line know it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
