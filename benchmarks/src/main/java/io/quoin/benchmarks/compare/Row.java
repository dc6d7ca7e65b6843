package io.quoin.benchmarks.compare;

import java.util.List;
import java.util.stream.Stream;

/**
 * One row of the table: what fio does.
 *
 * <p>Threading: immutable.
 *
 * @param name how the row is chosen on the command line
 * @param title how it is called in the table
 * @param unit what its figure counts
 * @param trimmedFirst whether the disk is emptied before, so that each write allocates
 * @param timed whether it runs for a time, or once over the disk
 * @param arguments what fio is told besides
 */
record Row(
        String name,
        String title,
        Unit unit,
        boolean trimmedFirst,
        boolean timed,
        List<String> arguments) {

    /** What a row's figure counts, each second. */
    enum Unit {
        IOPS("IOPS"),
        MEGABYTES("MB/s");

        private final String label;

        Unit(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    /**
     * In the order in which each round goes through them: what changes the file most comes last.
     */
    static final List<Row> ALL =
            List.of(
                    small("randread-qd1", "randread 4k, queue depth 1", "randread", 1),
                    small("randread-qd32", "randread 4k, queue depth 32", "randread", 32),
                    small("randwrite-qd1", "randwrite 4k, queue depth 1", "randwrite", 1),
                    small("randwrite-qd32", "randwrite 4k, queue depth 32", "randwrite", 32),
                    small(
                            "randrw-qd32",
                            "70% randread 4k, queue depth 32",
                            "randrw",
                            32,
                            "--rwmixread=70"),
                    small("fsync", "randwrite 4k, flush after each", "randwrite", 1, "--fsync=1"),
                    small(
                            "fsync-qd32",
                            "randwrite 4k qd 32, flush each 32",
                            "randwrite",
                            32,
                            "--fsync=32"),
                    small(
                            "randread-4conn",
                            "randread 4k, 4 connections qd 8",
                            "randread",
                            8,
                            "--numjobs=4"),
                    small(
                            "randwrite-4conn",
                            "randwrite 4k, 4 connections qd 8",
                            "randwrite",
                            8,
                            "--numjobs=4"),
                    large("seqread", "seqread 1M, queue depth 4", "read", true, false),
                    large("seqwrite", "seqwrite 1M, queue depth 4", "write", true, false),
                    large("seqwrite-alloc", "seqwrite 1M with allocation", "write", false, true));

    private static Row small(String name, String title, String pattern, int depth, String... more) {
        List<String> arguments =
                List.of("--rw=" + pattern, "--bs=4k", "--iodepth=" + depth, "--norandommap");
        return new Row(name, title, Unit.IOPS, false, true, concat(arguments, List.of(more)));
    }

    private static Row large(
            String name, String title, String pattern, boolean timed, boolean trimmedFirst) {
        List<String> arguments = List.of("--rw=" + pattern, "--bs=1M", "--iodepth=4");
        return new Row(name, title, Unit.MEGABYTES, trimmedFirst, timed, arguments);
    }

    private static List<String> concat(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }
}
