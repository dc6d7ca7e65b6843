package io.quoin.xlator;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
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

    /** What a file is called until it is whole and gets the name {@code fileName}. */
    public static String before(String fileName) {
        return isOwn(fileName) ? fileName + "-0" : of("image-" + NUMBER.incrementAndGet());
    }

    /** Whether {@link #of} of any process gave the name. */
    public static boolean isUnfinished(String fileName) {
        return ANY.matcher(fileName).matches();
    }
}
