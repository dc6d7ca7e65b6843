package io.quoin.management.operation;

import io.quoin.management.definition.VolumeName;
import org.jspecify.annotations.Nullable;

/**
 * {@code VOLUME/NAME} or {@code NAME}. No disk, snapshot or job has a slash in its name, so the
 * first one ends the volume's.
 *
 * <p>Threading: immutable.
 *
 * @param volume null where none is named
 * @param name in the volume
 */
public record DiskAddress(@Nullable String volume, String name) {
    private static final char SEPARATOR = '/';

    /** Reads one. */
    public static DiskAddress of(String text) {
        int slash = text.indexOf(SEPARATOR);
        return slash < 0
                ? new DiskAddress(null, text)
                : new DiskAddress(text.substring(0, slash), text.substring(slash + 1));
    }

    /** What names of a volume begin with where all volumes meet; nothing for the default one. */
    public static String prefix(String volume) {
        return volume.equals(VolumeName.DEFAULT) ? "" : volume + SEPARATOR;
    }

    /** The same with another name. */
    public String with(String other) {
        return volume == null ? other : volume + SEPARATOR + other;
    }
}
