package io.quoin.benchmarks.compare;

import java.util.Arrays;
import java.util.List;

/** What {@code --snapshots} measures; the labels are those of the command line. */
enum SnapshotScenario {
    CUT_64G("cut-64g", "snapshots of a mapped 64 GiB disk, randwrite 4k qd32", 64L << 30),
    CUT_1T("cut-1t", "snapshots of a mapped 1 TiB disk, randwrite 4k qd32", 1L << 40),
    CUT_4T("cut-4t", "snapshots of a mapped 4 TiB disk, randwrite 4k qd32", 4L << 40),
    FIRST_WRITES("first-writes", "randwrite 4k qd32 behind a snapshot of a full disk", 8L << 30),
    MANY("many", "a disk with 50 snapshots, clusters unshared", 1L << 30),
    CLONES("clones", "1,000 clones of a template, 100 of them written at once", 64L << 30),
    DIFF("diff", "two snapshots of a mapped 1 TiB disk, 1 GiB written between", 1L << 40);

    private final String label;
    private final String title;
    private final long sizeBytes;

    SnapshotScenario(String label, String title, long sizeBytes) {
        this.label = label;
        this.title = title;
        this.sizeBytes = sizeBytes;
    }

    static List<SnapshotScenario> all() {
        return Arrays.asList(values());
    }

    String label() {
        return label;
    }

    String title() {
        return title;
    }

    /** Of the disk, unless the command line says otherwise. */
    long sizeBytes() {
        return sizeBytes;
    }
}
