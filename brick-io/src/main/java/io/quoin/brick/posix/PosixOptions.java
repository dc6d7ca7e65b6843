package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.nio.file.Path;

/**
 * The options of {@code storage/posix}, checked.
 *
 * <p>Threading: immutable.
 *
 * @param directory the brick folder
 * @param brick the folder is a brick: it is made if missing, locked, and has a folder of its own
 * @param locking open files are locked as QEMU does it
 * @param directIo files are opened with O_DIRECT
 * @param readAheadBytes how far ahead of a sequential reader to fetch at most
 * @param writeBytesMax the most that one pwritev is given
 * @param ioThreads threads of the pool
 * @param flushThreads threads that run fdatasync
 * @param coldReads which reads take the pool though they need not
 */
record PosixOptions(
        Path directory,
        boolean brick,
        boolean locking,
        boolean directIo,
        long readAheadBytes,
        int writeBytesMax,
        int ioThreads,
        int flushThreads,
        ColdReads coldReads) {

    private static final String DIRECTORY = "directory";
    private static final String BRICK = "brick";
    private static final String LOCKING = "locking";
    private static final String DIRECT_IO = "direct-io";
    private static final String READ_AHEAD = "read-ahead";
    private static final String WRITE_SIZE = "write-size";
    private static final String IO_THREADS = "io-threads";
    private static final String FLUSH_THREADS = "flush-threads";
    private static final String COLD_READS = "cold-reads";
    static final String VOLUME_ID = "volume-id";

    private static final long READ_AHEAD_MAX = 64L << 20;
    private static final long WRITE_SIZE_MIN = 4096;
    private static final long WRITE_SIZE_MAX = 1L << 30;
    private static final long THREADS_MAX = 64;
    private static final long COLD_READS_MAX = 1_000_000;

    static final OptionTable TABLE =
            OptionTable.of(
                    Option.required(
                            DIRECTORY,
                            Option.Type.PATH,
                            "The brick folder; made with mode 0700 if it is missing."),
                    Option.of(
                            BRICK,
                            Option.Type.BOOLEAN,
                            "on",
                            "Off: any folder of image files; nothing is made in it but those."),
                    Option.of(
                            LOCKING,
                            Option.Type.BOOLEAN,
                            "on",
                            "Lock open files as QEMU does; off: files of a folder that is no brick are"
                                    + " used even if others use them."),
                    Option.of(
                            DIRECT_IO,
                            Option.Type.BOOLEAN,
                            "off",
                            "Open files with O_DIRECT, past the page cache."),
                    Option.of(
                            READ_AHEAD,
                            Option.Type.SIZE,
                            "1M",
                            "How far ahead of a sequential reader to fetch at most; 0 turns it off."),
                    Option.of(
                            WRITE_SIZE,
                            Option.Type.SIZE,
                            "64K",
                            "The most that one pwrite call is given; it bounds the page cache's folios."),
                    Option.of(
                            IO_THREADS,
                            Option.Type.INTEGER,
                            "4",
                            "Threads for calls that may wait for the disk."),
                    Option.of(
                            FLUSH_THREADS,
                            Option.Type.INTEGER,
                            "2",
                            "Threads for fdatasync: the number of files flushed at once."),
                    Option.of(
                            COLD_READS,
                            Option.Type.INTEGER,
                            ColdReads.DEFAULT,
                            "For tests: one read in so many is served as if its pages were not cached,"
                                    + " late and out of order; 0 turns it off."),
                    Option.of(
                            VOLUME_ID,
                            Option.Type.STRING,
                            "",
                            "What the folder must be marked with, in .quoin/volume-id: until it is, as"
                                    + " where its file system is not mounted, nothing is made there and"
                                    + " every call fails (ENOENT). Empty: not checked."));

    /**
     * @param base what a relative directory is relative to
     */
    static PosixOptions of(OptionValues values, Path base) {
        return new PosixOptions(
                base.resolve(values.path(DIRECTORY)),
                values.bool(BRICK),
                values.bool(LOCKING),
                values.bool(DIRECT_IO),
                within(READ_AHEAD, values.sizeBytes(READ_AHEAD), 0, READ_AHEAD_MAX),
                (int)
                        within(
                                WRITE_SIZE,
                                values.sizeBytes(WRITE_SIZE),
                                WRITE_SIZE_MIN,
                                WRITE_SIZE_MAX),
                (int) within(IO_THREADS, values.integer(IO_THREADS), 1, THREADS_MAX),
                (int) within(FLUSH_THREADS, values.integer(FLUSH_THREADS), 1, THREADS_MAX),
                new ColdReads(
                        (int) within(COLD_READS, values.integer(COLD_READS), 0, COLD_READS_MAX)));
    }

    private static long within(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "option is out of range: name="
                            + name
                            + ", expected="
                            + min
                            + " to "
                            + max
                            + ", actual="
                            + value);
        }
        return value;
    }
}
