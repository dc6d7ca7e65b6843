package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import java.nio.ByteBuffer;

/**
 * Where the header of an encrypted image is; nothing here reads it.
 *
 * <pre>
 *    0 +---------------------------------------------------------------+
 *      | host offset                                                   |
 *    8 +---------------------------------------------------------------+
 *      | length in bytes                                               |
 *      +---------------------------------------------------------------+
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class CryptoExtension {
    private static final String WHAT = "qcow2 header";
    private static final int BYTES = 16;
    private static final int LENGTH_OFFSET = 8;

    private CryptoExtension() {}

    static void check(
            HeaderExtension crypto, int cryptMethod, int clusterSizeBytes, long fileSizeBytes) {
        require(
                cryptMethod == Qcow2Header.CRYPT_LUKS,
                WHAT,
                "crypt_method",
                cryptMethod,
                "2 with a crypto extension");
        require(
                crypto.data().lengthBytes() == BYTES,
                WHAT,
                "length of the crypto extension",
                crypto.data().lengthBytes(),
                "16");
        ByteBuffer data = crypto.data().toBuffer();
        long lengthBytes = data.getLong(LENGTH_OFFSET);
        require(lengthBytes >= 0, WHAT, "length of the crypto header", lengthBytes, "below 2^63");
        Refusal.requireTable(
                WHAT,
                "offset of the crypto header",
                data.getLong(0),
                lengthBytes,
                clusterSizeBytes,
                fileSizeBytes);
    }
}
