package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;

/**
 * The rule for names of backing files and data files, which come from images that one need not
 * trust: a plain name of the volume, never a path, a URL or one of QEMU's {@code protocol:}
 * strings.
 *
 * <p>Threading: immutable.
 */
public final class BackingName {
    private BackingName() {}

    /**
     * Returns {@code name} if {@code image} may have it as its backing file.
     *
     * @throws BlockException EPERM if {@code name} could mean anything outside of the volume
     */
    public static String require(String image, String name) {
        return require("backing file", image, name);
    }

    /**
     * As {@link #require(String, String)}, for an external data file, which is written as the image
     * is: so it may be none that is taken for an image.
     *
     * @throws BlockException EPERM if {@code name} could mean anything outside of the volume,
     *     EINVAL if it is an image's
     */
    public static String requireDataFile(String image, String name) {
        require("data file", image, name);
        if (name.endsWith(ImageName.SUFFIX) || name.equals(image)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "data file: image="
                            + image
                            + ", expected=no image: a name that does not end in "
                            + ImageName.SUFFIX
                            + ", actual="
                            + name);
        }
        return name;
    }

    private static String require(String what, String image, String name) {
        boolean plain =
                !name.isEmpty()
                        && !name.startsWith(".")
                        && name.indexOf('/') < 0
                        && name.indexOf('\\') < 0
                        && name.indexOf(':') < 0
                        && NameText.isUtf8(name)
                        && name.chars().noneMatch(Character::isISOControl);
        if (!plain) {
            throw new BlockException(
                    BlockError.EPERM,
                    what
                            + ": image="
                            + image
                            + ", expected=the plain name of a file of the volume, in UTF-8, without path"
                            + " and protocol, actual="
                            + NameText.printable(name));
        }
        return name;
    }
}
