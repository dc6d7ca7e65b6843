package io.quoin.qcow2.parents;

/**
 * What a name of this translator means: an image, or with {@code IMAGE.qcow2@SNAPSHOT} one of its
 * internal snapshots, by id or by name.
 *
 * <p>Threading: immutable.
 *
 * @param file the file that holds the image
 * @param snapshot id or name; empty: the image as it is now
 */
public record ImageName(String file, String snapshot) {
    /** What the name of an image ends with. */
    public static final String SUFFIX = ".qcow2";

    private static final String SEPARATOR = SUFFIX + "@";

    public static ImageName of(String name) {
        int at = name.indexOf(SEPARATOR);
        return at < 1
                ? new ImageName(name, "")
                : new ImageName(
                        name.substring(0, at + SUFFIX.length()),
                        name.substring(at + SEPARATOR.length()));
    }

    /** The name of a snapshot of the image in {@code file}. */
    public static String snapshot(String file, String idOrName) {
        return file + "@" + idOrName;
    }

    public static boolean isSnapshot(String name) {
        return name.indexOf(SEPARATOR) > 0;
    }
}
