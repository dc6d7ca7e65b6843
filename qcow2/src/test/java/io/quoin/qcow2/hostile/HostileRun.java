package io.quoin.qcow2.hostile;

import java.io.IOException;
import java.nio.file.Path;

/** A program that takes every hostile image through every entrance, in the memory that it has. */
final class HostileRun {
    private HostileRun() {}

    /** Ends with 0 unless something that is no {@code BlockException} comes out of one. */
    @SuppressWarnings("SystemOut") // it is read by the test
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        int images = 0;
        for (HostileImage hostile : Gallery.all()) {
            try (Entrances entrances = new Entrances(folder)) {
                use(hostile, entrances);
                images++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError(hostile.name() + " ends in " + e, e);
            }
        }
        long heapBytes = Runtime.getRuntime().totalMemory();
        System.out.println("images=" + images + ", heap in the end=" + heapBytes);
    }

    private static void use(HostileImage hostile, Entrances entrances) throws IOException {
        SmallImage image = hostile.image().get();
        entrances.install(image);
        MemoryImageFile file = new MemoryImageFile(image.toArray(), image.fileSize());
        Entrances.describe(file);
        Entrances.check(file);
        entrances.map(file);
        entrances.readOnly();
        entrances.snapshot();
        entrances.readWrite();
    }
}
