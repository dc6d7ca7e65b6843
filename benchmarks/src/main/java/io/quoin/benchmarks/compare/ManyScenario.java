package io.quoin.benchmarks.compare;

import java.util.Arrays;
import java.util.List;

/** What {@code --many} measures; the names are those of the command line. */
enum ManyScenario {
    disks("many disks of 1 TiB beside one, randwrite 4k", 200, 1L << 40),
    overlays("many overlays of one base of 64 GiB beside one overlay, randrw 4k", 100, 64L << 30),
    large("one disk of 16 TiB beside qemu-nbd, randread 4k", 1, 16L << 40);

    private final String title;
    private final int count;
    private final long sizeBytes;

    ManyScenario(String title, int count, long sizeBytes) {
        this.title = title;
        this.count = count;
        this.sizeBytes = sizeBytes;
    }

    static List<ManyScenario> all() {
        return Arrays.asList(values());
    }

    String title() {
        return title;
    }

    /** How many disks, unless the command line says otherwise. */
    int count() {
        return count;
    }

    /** Of each disk, unless the command line says otherwise. */
    long sizeBytes() {
        return sizeBytes;
    }
}
