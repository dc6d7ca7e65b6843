package io.quoin.qcow2.open;

import io.quoin.qcow2.cluster.OpenImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What becomes of a write of nothing but zeros.
 *
 * <p>Threading: immutable.
 */
public enum DetectZeroes {
    OFF,
    ON,
    UNMAP;

    public static List<String> names() {
        return Arrays.stream(values()).map(DetectZeroes::text).toList();
    }

    /** As it stands in a volfile. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static DetectZeroes of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }

    void applyTo(OpenImage image) {
        if (this != OFF) {
            image.detectZeroes(this == UNMAP);
        }
    }
}
