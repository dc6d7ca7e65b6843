package io.quoin.qcow2.layout;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Why an image is refused: which structure, which field, its value and the rule it breaks. Never
 * any other content of the file.
 *
 * <p>Threading: immutable.
 */
final class Refusal {
    private Refusal() {}

    static BlockException invalid(String what, String field, Object actual, String expected) {
        return new BlockException(
                BlockError.EINVAL, what + ": " + field + "=" + actual + ", expected=" + expected);
    }

    static BlockException unsupported(String what, String field, Object actual, String why) {
        return new BlockException(
                BlockError.ENOTSUP, what + ": " + field + "=" + actual + ", " + why);
    }

    static void require(boolean holds, String what, String field, long actual, String expected) {
        if (!holds) {
            throw invalid(what, field, actual, expected);
        }
    }

    /**
     * A table of {@code lengthBytes} at {@code hostOffset}: aligned, off the header, inside of the
     * file.
     */
    static void requireTable(
            String what,
            String field,
            long hostOffset,
            long lengthBytes,
            int clusterSizeBytes,
            long fileSizeBytes) {
        require(hostOffset > 0, what, field, hostOffset, "behind the header");
        require(
                (hostOffset & (clusterSizeBytes - 1)) == 0,
                what,
                field,
                hostOffset,
                "a multiple of the cluster size " + clusterSizeBytes);
        require(
                lengthBytes <= fileSizeBytes && hostOffset <= fileSizeBytes - lengthBytes,
                what,
                field,
                hostOffset,
                lengthBytes + " bytes inside of the file of " + fileSizeBytes + " bytes");
    }

    /** A name: bytes without NUL, valid UTF-8. */
    static String name(String what, String field, ByteBuffer source, int index, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        source.get(index, bytes);
        for (byte b : bytes) {
            require(b != 0, what, field, 0, "no NUL byte in the name");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new BlockException(
                    BlockError.EINVAL, what + ": " + field + ": not valid UTF-8", e);
        }
    }
}
