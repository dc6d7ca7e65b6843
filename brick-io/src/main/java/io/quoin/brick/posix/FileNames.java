package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The names that files of a brick may have: one path component, in UTF-8 whatever the locale is, so
 * that no name leads out of the folder.
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
            throw illegal(fileName.replace('\0', '?'), "a name without / and NUL");
        }
        byte[] path = encodePath(fileName);
        if (path.length - 1 > LENGTH_BYTES_MAX) {
            throw illegal(fileName, "at most " + LENGTH_BYTES_MAX + " bytes of UTF-8");
        }
        return path;
    }

    /** Any path, with its NUL. */
    static byte[] encodePath(String path) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(path));
            byte[] bytes = new byte[encoded.remaining() + 1];
            encoded.get(bytes, 0, bytes.length - 1);
            return bytes;
        } catch (CharacterCodingException e) {
            throw new BlockException(
                    BlockError.EINVAL, "name cannot be written in UTF-8: name=" + path, e);
        }
    }

    /** A name from the kernel; empty if it is no UTF-8. */
    static Optional<String> decode(byte[] name) {
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(name)).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
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
                "illegal file name: name=" + fileName + ", expected=" + expected);
    }
}
