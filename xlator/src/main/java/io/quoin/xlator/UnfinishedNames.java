package io.quoin.xlator;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Names of files that are not whole yet: {@code .quoin-new-PID-RANDOM-WHAT}. Process numbers
 * repeat, since containers that share a folder count for themselves; the random part, one for each
 * process, keeps them from meeting in a name, from taking a file that a user has for their own, and
 * from removing another's. Such a file is worth nothing once its process has ended.
 *
 * <p>Threading: thread-safe.
 */
public final class UnfinishedNames {
    private static final int RANDOM_BYTES = 8;
    private static final Pattern ANY = Pattern.compile("\\.quoin-new-\\d+-[0-9a-f]{16}-.*");
    private static final AtomicLong NUMBER = new AtomicLong();
    private static final String OWN =
            ".quoin-new-" + ProcessHandle.current().pid() + "-" + random() + "-";

    private static final ReadWriteLock GIVING = new ReentrantReadWriteLock();
    private static boolean isEnded;

    private UnfinishedNames() {}

    /**
     * Runs what gives a file such a name, or takes it away: opening a new file, renaming one.
     *
     * @throws BlockException ESHUTDOWN after {@link #end}
     */
    public static <T> T giving(Supplier<T> step) {
        GIVING.readLock().lock();
        try {
            if (isEnded) {
                throw new BlockException(BlockError.ESHUTDOWN, "process is being ended");
            }
            return step.get();
        } finally {
            GIVING.readLock().unlock();
        }
    }

    /** From now on no file of this process gets one, so that all can be removed. */
    public static void end() {
        GIVING.writeLock().lock();
        try {
            isEnded = true;
        } finally {
            GIVING.writeLock().unlock();
        }
    }

    private static String random() {
        byte[] bytes = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /**
     * A name of this process.
     *
     * @param what makes it unique in the process
     */
    public static String of(String what) {
        return OWN + what;
    }

    /** Whether {@link #of} of this process gave the name. */
    public static boolean isOwn(String fileName) {
        return fileName.startsWith(OWN);
    }

    /** What a file is called until it is whole and gets the name {@code fileName}. */
    public static String before(String fileName) {
        return isOwn(fileName) ? fileName + "-0" : of("image-" + NUMBER.incrementAndGet());
    }

    /** Whether {@link #of} of any process gave the name. */
    public static boolean isUnfinished(String fileName) {
        return ANY.matcher(fileName).matches();
    }
}
