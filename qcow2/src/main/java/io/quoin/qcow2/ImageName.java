package io.quoin.qcow2;

/**
 * What a name of this translator means: an image, or with {@code IMAGE.qcow2@SNAPSHOT} one of its
 * internal snapshots, by id or by name. {@code IMAGE/@SNAPSHOT} is the same for images of any name,
 * since no name of a file has a slash.
 *
 * @param file the file that holds the image
 * @param snapshot id or name; empty: the image as it is now
 *     <p>Threading: immutable.
 */
record ImageName(String file, String snapshot) {
    private static final String BEHIND_SUFFIX = Qcow2Xlator.SUFFIX + "@";
    private static final String BEHIND_ANY = "/@";

    static ImageName of(String name) {
        int any = name.indexOf(BEHIND_ANY);
        int suffix = name.indexOf(BEHIND_SUFFIX);
        if (any > 0) {
            return split(name, any, any + BEHIND_ANY.length());
        }
        return suffix > 0
                ? split(name, suffix + Qcow2Xlator.SUFFIX.length(), suffix + BEHIND_SUFFIX.length())
                : new ImageName(name, "");
    }

    private static ImageName split(String name, int fileEnd, int snapshotStart) {
        return new ImageName(name.substring(0, fileEnd), name.substring(snapshotStart));
    }

    static boolean isSnapshot(String name) {
        return name.indexOf(BEHIND_SUFFIX) > 0 || name.indexOf(BEHIND_ANY) > 0;
    }
}
