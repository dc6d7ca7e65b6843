package io.quoin.qcow2.crash;

import java.util.List;

/**
 * A disk and what is done to it before and while it is recorded.
 *
 * <p>Threading: immutable.
 *
 * @param clusterSize of the image
 * @param options more options of {@code qemu-img create}; empty: Quoin makes the image
 * @param backing whether a raw file half as long lies behind it
 * @param before what QEMU does to the image when some data is in it
 * @param sizeBytes of the disk at first
 * @param resizes sizes that it takes on, one after the other in the course of the run
 * @param mix how often what is done, of 100: write, zeroes, discard; the rest are reads
 */
record Workload(
        String name,
        int clusterSize,
        String options,
        boolean backing,
        Before before,
        int sizeBytes,
        List<Integer> resizes,
        Mix mix,
        int steps) {
    /** What QEMU does to the image before the recording. */
    enum Before {
        NOTHING,
        SNAPSHOT,
        COMPRESS,
        BITMAP
    }

    /** Of 100 operations; the rest are flushes. */
    record Mix(int write, int zero, int discard, int compressed) {
        static final Mix ALL = new Mix(50, 15, 15, 0);
        static final Mix WRITES = new Mix(80, 0, 0, 0);
        static final Mix DISCARDS = new Mix(35, 25, 25, 0);
        static final Mix COMPRESSED = new Mix(25, 8, 10, 40);
    }

    static Workload of(String name, int clusterSize, String options, int sizeBytes) {
        return new Workload(
                name,
                clusterSize,
                options,
                false,
                Before.NOTHING,
                sizeBytes / 512 * 512,
                List.of(),
                Mix.ALL,
                40);
    }

    Workload backed() {
        return new Workload(
                name, clusterSize, options, true, before, sizeBytes, resizes, mix, steps);
    }

    Workload after(Before what) {
        return new Workload(
                name, clusterSize, options, backing, what, sizeBytes, resizes, mix, steps);
    }

    Workload mixed(Mix newMix) {
        return new Workload(
                name, clusterSize, options, backing, before, sizeBytes, resizes, newMix, steps);
    }

    Workload resized(Integer... sizes) {
        return new Workload(
                name, clusterSize, options, backing, before, sizeBytes, List.of(sizes), mix, steps);
    }

    Workload steps(int newSteps) {
        return new Workload(
                name, clusterSize, options, backing, before, sizeBytes, resizes, mix, newSteps);
    }

    boolean isVersion2() {
        return options.contains("compat=0.10");
    }

    /** Whether the format allows that, beside what is done before anyway. */
    boolean allows(Before more) {
        return switch (more) {
            case NOTHING -> true;
            case COMPRESS -> false;
            case BITMAP -> before != Before.BITMAP && !isVersion2();
            case SNAPSHOT ->
                    before != Before.SNAPSHOT
                            && !options.contains("data_file")
                            && !options.contains("refcount_bits=1")
                            && !options.contains("refcount_bits=2")
                            && (!isVersion2() || resizes.isEmpty());
        };
    }

    int sizeBytesMin() {
        int min = sizeBytes;
        for (int size : resizes) {
            min = Math.min(min, size);
        }
        return min;
    }

    int sizeBytesMax() {
        int max = sizeBytes;
        for (int size : resizes) {
            max = Math.max(max, size);
        }
        return max;
    }

    @Override
    public String toString() {
        return name;
    }
}
