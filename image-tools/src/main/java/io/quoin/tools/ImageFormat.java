package io.quoin.tools;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
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

    private static final byte[] QCOW2_MAGIC = {'Q', 'F', 'I', (byte) 0xfb};

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

    /**
     * Whether a file begins as a qcow2 image. No more than a reason to ask: it may be a raw image
     * all the same, and then what follows is a guest's. False for what cannot be read.
     */
    static boolean looksLikeQcow2(Path path) {
        if (!Files.isRegularFile(path)) {
            return false; // a pipe would wait
        }
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(QCOW2_MAGIC.length), QCOW2_MAGIC);
        } catch (IOException e) {
            return false; // opening it will tell why
        }
    }

    /** The name by which qemu-img and the command line know it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
