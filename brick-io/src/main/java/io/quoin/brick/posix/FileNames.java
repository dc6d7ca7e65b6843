package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The names that files of a brick may have: one path component, as {@link NameText} whatever the
 * locale is, so that no name leads out of the folder.
 *
 * <p>Threading: immutable.
 */
final class FileNames {
    /** The brick's own folder. */
    static final String OWN_FOLDER = ".quoin";

    private static final int LENGTH_BYTES_MAX = 255;

    private FileNames() {}

    /** The name as the kernel wants it, with its NUL; EINVAL if it is none for a file. */
    static byte[] encode(String fileName) {
        if (fileName.isEmpty()) {
            throw illegal(fileName, "a name that is not empty");
        }
        if (fileName.equals(".") || fileName.equals("..") || fileName.equals(OWN_FOLDER)) {
            throw illegal(fileName, "a name other than ., .. and " + OWN_FOLDER);
        }
        if (fileName.indexOf('/') >= 0 || fileName.indexOf('\0') >= 0) {
            throw illegal(fileName, "a name without / and NUL");
        }
        byte[] path = encodePath(fileName);
        if (path.length - 1 > LENGTH_BYTES_MAX) {
            throw illegal(fileName, "at most " + LENGTH_BYTES_MAX + " bytes");
        }
        return path;
    }

    /** Any path, with its NUL. */
    static byte[] encodePath(String path) {
        byte[] bytes = NameText.bytes(path);
        return Arrays.copyOf(bytes, bytes.length + 1);
    }

    /** A path as the kernel wants it, with its NUL. */
    static byte[] encodePath(Path path) {
        return encodePath(NameText.of(path));
    }

    /** Whether {@code list} leaves it out. */
    static boolean isHidden(byte[] name) {
        return name.length == 0 || name[0] == '.';
    }

    /** The bytes up to the first NUL. */
    static byte[] untilNul(byte[] bytes) {
        int length = 0;
        while (length < bytes.length && bytes[length] != 0) {
            length++;
        }
        return Arrays.copyOf(bytes, length);
    }

    private static BlockException illegal(String fileName, String expected) {
        return new BlockException(
                BlockError.EINVAL,
                "illegal file name: name="
                        + NameText.printable(fileName)
                        + ", expected="
                        + expected);
    }
}
