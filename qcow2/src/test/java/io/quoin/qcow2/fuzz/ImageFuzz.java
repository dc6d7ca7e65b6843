package io.quoin.qcow2.fuzz;

import io.quoin.qcow2.hostile.Entrances;
import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;
import java.io.IOException;
import java.nio.file.Path;

/** The walk through a whole small image: described, checked, mapped, read and written. */
public final class ImageFuzz {
    private static final long STEP_BYTES = 512 << 10;

    private ImageFuzz() {}

    /** Loads and instruments all classes before the time of an input is measured. */
    public static void fuzzerInitialize() throws IOException {
        fuzzerTestOneInput(new byte[1]);
    }

    public static void fuzzerTestOneInput(byte[] data) throws IOException {
        SmallImage image = PatchedImage.of(data);
        MemoryImageFile file = new MemoryImageFile(image.toArray(), image.fileSize());
        Entrances.describe(file);
        Entrances.check(file);
        Entrances entrances = new Entrances(Path.of("nowhere"), STEP_BYTES);
        entrances.map(file);
        if (file.changes() > 0) {
            throw new AssertionError("changed by being looked at");
        }
        entrances.install(image);
        entrances.readOnly();
        if (entrances.brick().isUnflushed("disk.qcow2")) {
            throw new AssertionError("written though open read-only");
        }
        entrances.readWrite();
    }
}
