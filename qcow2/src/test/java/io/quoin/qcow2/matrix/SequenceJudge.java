package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.BitmapsOnDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * Compares an image in a folder with the model.
 *
 * <p>Threading: confined to the test.
 */
final class SequenceJudge {
    /** How many have been compared. */
    int bitmaps;

    /** Disk, snapshots and bitmaps as QEMU reads them, and the marks on disk. */
    void compare(String what, Path side, SequenceModel model) throws IOException {
        assertThat(Arrays.equals(QemuSide.content(side), model.content())).as(what).isTrue();
        for (Map.Entry<String, byte[]> snapshot : model.snapshots.entrySet()) {
            byte[] expected = snapshot.getValue();
            // QEMU gives it the size that the disk has now.
            byte[] actual = QemuSide.content(side, "-l", snapshot.getKey());
            int length = Math.min(actual.length, expected.length);
            assertThat(Arrays.equals(actual, 0, length, expected, 0, length))
                    .as(what + ": snapshot " + snapshot.getKey())
                    .isTrue();
        }
        Map<String, BitmapsOnDisk.Found> found =
                BitmapsOnDisk.read(Files.readAllBytes(side.resolve(SpecImage.IMAGE)));
        assertThat(found.keySet()).as(what).isEqualTo(model.bitmaps.keySet());
        model.bitmaps.forEach((name, bitmap) -> compare(what, name, bitmap, found, model));
    }

    private void compare(
            String what,
            String name,
            BitmapModel bitmap,
            Map<String, BitmapsOnDisk.Found> all,
            SequenceModel model) {
        bitmaps++;
        BitmapsOnDisk.Found found = all.get(name);
        String text = what + ": bitmap " + name + ": " + found + ", expected=" + bitmap;
        assertThat(found.inUse()).as(text).isFalse();
        assertThat(found.enabled()).as(text).isEqualTo(bitmap.enabled);
        assertThat(found.granularityBytes()).as(text).isEqualTo(bitmap.granularity);
        assertThat(bitmap.matches(found.bits(), model.disk.sizeBytes())).as(text).isTrue();
    }
}
