package io.quoin.qcow2.matrix;

import io.quoin.testkit.ModelDisk;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What disk, snapshots and bitmaps must be after the steps so far.
 *
 * <p>Threading: confined to the test.
 */
final class SequenceModel {
    final ModelDisk disk;
    final Map<String, byte[]> snapshots = new LinkedHashMap<>();
    final Map<String, BitmapModel> bitmaps = new TreeMap<>();
    boolean backed;

    SequenceModel(ModelDisk disk, boolean backed) {
        this.disk = disk;
        this.backed = backed;
    }

    byte[] content() {
        return disk.content(0, disk.sizeBytes());
    }

    void apply(SequenceStep step) {
        String name = step.name();
        switch (step.kind()) {
            case WRITE, COMPRESSED, QEMU -> disk.write(step.offset(), data(step));
            case ZERO, DISCARD -> disk.zero(step.offset(), step.length());
            case RESIZE -> {
                disk.resize(step.length());
                bitmaps.values().forEach(bitmap -> bitmap.resize(step.length()));
            }
            case SNAPSHOT -> snapshots.put(name, content());
            case SNAPSHOT_DELETE, SNAPSHOT_REMOVE -> snapshots.remove(name);
            case SNAPSHOT_RENAME -> {
                snapshots.put(step.newName(), snapshot(name));
                snapshots.remove(name);
            }
            case SNAPSHOT_APPLY, SNAPSHOT_ROLLBACK -> {
                byte[] old = snapshot(name);
                disk.resize(old.length);
                disk.write(0, old);
            }
            case REBASE_OTHER -> backed = true;
            case REBASE_NONE -> backed = false;
            case BITMAP_ADD -> bitmaps.put(name, new BitmapModel(1L << step.stamp(), true));
            case BITMAP_REMOVE -> bitmaps.remove(name);
            case BITMAP_CLEAR -> bitmap(name).clear();
            case BITMAP_ENABLE -> bitmap(name).enabled = true;
            case BITMAP_DISABLE -> bitmap(name).enabled = false;
            case BITMAP_MERGE -> bitmap(name).merge(bitmap(SequencePlan.FIRST), disk.sizeBytes());
            default -> {} // what changes nothing, or what only the test knows the end of
        }
        switch (step.kind()) {
            case WRITE, COMPRESSED, QEMU, ZERO, DISCARD ->
                    bitmaps.values()
                            .forEach(bitmap -> bitmap.changed(step.offset(), step.length()));
            default -> {}
        }
    }

    static byte[] data(SequenceStep step) {
        byte[] data = new byte[step.length()];
        Arrays.fill(data, (byte) step.stamp());
        return data;
    }

    /** What a snapshot reads as. */
    byte[] snapshot(String name) {
        byte[] content = snapshots.get(name);
        if (content == null) {
            throw new IllegalArgumentException("no such snapshot in the model: " + name);
        }
        return content;
    }

    private BitmapModel bitmap(String name) {
        BitmapModel bitmap = bitmaps.get(name);
        if (bitmap == null) {
            throw new IllegalArgumentException("no such bitmap in the model: " + name);
        }
        return bitmap;
    }
}
