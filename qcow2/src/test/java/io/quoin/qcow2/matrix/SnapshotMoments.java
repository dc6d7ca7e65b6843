package io.quoin.qcow2.matrix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a disk was while a snapshot of it was made, one moment after the other. Of a request that
 * had not been answered any sector may be in the snapshot or not, as after a power failure.
 *
 * <p>Threading: confined to the test.
 */
final class SnapshotMoments {
    private static final int SECTOR = 512;

    private final List<byte[]> answered = new ArrayList<>();
    private final List<byte[]> started = new ArrayList<>();

    /**
     * One more.
     *
     * @param ofAnswered with all requests that had been answered
     * @param ofStarted with those under way, too
     */
    void add(byte[] ofAnswered, byte[] ofStarted) {
        if (answered.isEmpty() || ofStarted.length == started.get(0).length) {
            answered.add(ofAnswered);
            started.add(ofStarted);
        }
    }

    /** Whether {@code content} is of one of them. */
    boolean has(byte[] content) {
        for (int i = 0; i < answered.size(); i++) {
            if (isOf(i, content)) {
                return true;
            }
        }
        return false;
    }

    private boolean isOf(int moment, byte[] content) {
        byte[] before = answered.get(moment);
        byte[] after = started.get(moment);
        if (content.length != before.length) {
            return false;
        }
        for (int at = 0; at < content.length; at += SECTOR) {
            int end = at + SECTOR;
            if (!Arrays.equals(content, at, end, before, at, end)
                    && !Arrays.equals(content, at, end, after, at, end)) {
                return false;
            }
        }
        return true;
    }
}
