package io.quoin.qcow2.crash;

import io.quoin.qcow2.BitmapsOnDisk;
import java.util.Arrays;

/**
 * The snapshot and the bitmap that an image got before the recording, and what they must be after a
 * crash: the snapshot as it was, the bitmap inconsistent or with a mark for each change.
 *
 * <p>Threading: confined to the test.
 */
final class Kept {
    static final String SNAPSHOT = "s";
    static final String BITMAP = "b";

    private byte[] snapshot = {};
    private byte[] unmarked = {};
    private boolean hasBitmap;
    private int comparedBytes;
    int snapshots;
    int validBitmaps;
    int staleBitmaps;

    void snapshotMade(byte[] content) {
        snapshot = content;
    }

    /**
     * @param comparedBytesMax behind them the bitmap may have been cut
     */
    void bitmapMade(byte[] content, int comparedBytesMax) {
        unmarked = content;
        comparedBytes = comparedBytesMax;
        hasBitmap = true;
    }

    boolean hasSnapshot() {
        return snapshot.length > 0;
    }

    /** What is wrong with the snapshot. */
    String judgeSnapshot(byte[] content) {
        snapshots++;
        int wrong = Arrays.mismatch(content, snapshot);
        return wrong < 0 ? "" : "the snapshot reads as something else at " + wrong;
    }

    /** What is wrong with the bitmap of an image that reads as {@code content}. */
    String judgeBitmap(byte[] image, byte[] content) {
        if (!hasBitmap) {
            return "";
        }
        BitmapsOnDisk.Found found = BitmapsOnDisk.read(image).get(BITMAP);
        if (found == null || found.inUse()) {
            staleBitmaps++;
            return "";
        }
        validBitmaps++;
        int compared = Math.min(comparedBytes, content.length);
        for (int at = 0; at < compared; at += SectorStamp.SECTOR_BYTES) {
            int end = Math.min(compared, at + SectorStamp.SECTOR_BYTES);
            if (!Arrays.equals(content, at, end, unmarked, at, end) && !found.isMarked(at)) {
                return "the bitmap looks right and lacks a mark at " + at;
            }
        }
        return "";
    }

    /** Closed in order, the bitmap is there and can be used. */
    String judgeBitmapAtTheEnd(byte[] image) {
        BitmapsOnDisk.Found found = BitmapsOnDisk.read(image).get(BITMAP);
        return !hasBitmap || (found != null && !found.inUse())
                ? ""
                : "the bitmap is gone or inconsistent after a close: " + found;
    }
}
