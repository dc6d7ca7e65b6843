package io.quoin.brick.posix;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * Names of files that are not whole yet, in folders that are no bricks: {@code
 * .quoin-new-PID-RANDOM-WHAT}. Process numbers repeat, since containers that share a folder count
 * for themselves; the random part, one for each process, keeps them from meeting in a name, and
 * whoever cleans up from removing another's file. Such a file is worth nothing once its process has
 * ended.
 *
 * <p>Threading: immutable.
 */
public final class UnfinishedNames {
    private static final int RANDOM_BYTES = 8;
    private static final String OWN =
            ".quoin-new-" + ProcessHandle.current().pid() + "-" + random() + "-";

    private UnfinishedNames() {}

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
}
