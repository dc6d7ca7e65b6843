package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.nio.charset.StandardCharsets;

/** Which names and ids snapshots get. */
final class SnapshotNames {
    private static final int NAME_BYTES_MAX = 255;
    private static final String RULE =
            "1 to 255 bytes of UTF-8, not all digits, without .., / or a control character, with"
                    + " no dot at its ends";

    private SnapshotNames() {}

    /**
     * Refuses what is no name, or taken.
     *
     * @throws BlockException EINVAL, EEXIST
     */
    static void requireFree(String name, SnapshotTable table) {
        if (!isValid(name)) {
            throw new BlockException(
                    BlockError.EINVAL, "snapshot: name=" + printable(name) + ", expected=" + RULE);
        }
        for (SnapshotEntry entry : table.entries()) {
            // An id of another snapshot would be found in its place.
            if (entry.name().equals(name) || entry.id().equals(name)) {
                throw new BlockException(
                        BlockError.EEXIST,
                        "snapshot: name=" + name + ", expected=one that no snapshot has");
            }
        }
    }

    private static boolean isValid(String name) {
        int lengthBytes = name.getBytes(StandardCharsets.UTF_8).length;
        boolean encodable = StandardCharsets.UTF_8.newEncoder().canEncode(name);
        return encodable
                && lengthBytes >= 1
                && lengthBytes <= NAME_BYTES_MAX
                && !name.chars().allMatch(SnapshotNames::isDigit)
                && name.chars().noneMatch(Character::isISOControl)
                && !name.contains("..")
                && name.indexOf('/') < 0
                && !name.startsWith(".")
                && !name.endsWith(".");
    }

    private static String printable(String name) {
        String start = name.length() > NAME_BYTES_MAX ? name.substring(0, NAME_BYTES_MAX) : name;
        return start.replaceAll("\\p{Cntrl}", "?");
    }

    /** One more than the largest id that is a number, as QEMU counts. */
    static String nextId(SnapshotTable table) {
        long largest = 0;
        for (SnapshotEntry entry : table.entries()) {
            String id = entry.id();
            if (!id.isEmpty() && id.length() <= 18 && id.chars().allMatch(SnapshotNames::isDigit)) {
                largest = Math.max(largest, Long.parseLong(id));
            }
        }
        return Long.toString(largest + 1);
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }
}
