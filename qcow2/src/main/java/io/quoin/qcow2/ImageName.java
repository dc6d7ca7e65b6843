package io.quoin.qcow2;

/**
 * What a name of this translator means: an image, or with {@code IMAGE.qcow2@SNAPSHOT} one of its
 * internal snapshots, by id or by name.
 *
 * @param file the file that holds the image
 * @param snapshot id or name; empty: the image as it is now
 *     <p>Threading: immutable.
 */
record ImageName(String file, String snapshot) {
    private static final String SEPARATOR = Qcow2Xlator.SUFFIX + "@";

    static ImageName of(String name) {
        int at = name.indexOf(SEPARATOR);
        return at < 1
                ? new ImageName(name, "")
                : new ImageName(
                        name.substring(0, at + Qcow2Xlator.SUFFIX.length()),
                        name.substring(at + SEPARATOR.length()));
    }

    static boolean isSnapshot(String name) {
        return name.indexOf(SEPARATOR) > 0;
    }
}
