package io.quoin.management.operation;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * Names for nodes of QEMU's block layer: a letter, then letters, digits, {@code -}, {@code .} and
 * {@code _}, at most 31 characters in all (QEMU's id_wellformed and bdrv_assign_node_name).
 *
 * <p>Threading: immutable.
 */
final class NodeName {
    private static final int LENGTH_MAX = 31;
    private static final Pattern LEGAL =
            Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0," + (LENGTH_MAX - 1) + "}");
    private static final String PREFIX = "disk-";
    private static final int DIGEST_BYTES = 4;

    private NodeName() {}

    /**
     * The disk's own name if QEMU takes it. Else one that begins alike and ends in a digest of the
     * whole name: different disks have different nodes, and a disk has the same one each time.
     */
    static String of(String disk) {
        if (LEGAL.matcher(disk).matches()) {
            return disk;
        }
        String start = disk.matches("[A-Za-z].*") ? disk : PREFIX + disk;
        String end = "-" + digest(disk);
        int kept = Math.min(start.length(), LENGTH_MAX - end.length());
        return start.substring(0, kept).replaceAll("[^A-Za-z0-9._-]", "_") + end;
    }

    private static String digest(String text) {
        try {
            byte[] sha =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha, 0, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
