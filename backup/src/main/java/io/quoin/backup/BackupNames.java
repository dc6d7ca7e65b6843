package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What backups are called, and the snapshots that they leave on disks.
 *
 * <p>Threading: immutable.
 */
public final class BackupNames {
    private static final Pattern LEGAL = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,199}");
    private static final Pattern SNAPSHOT = Pattern.compile("backup-([0-9a-f]{12})-\\d{1,18}");
    private static final DateTimeFormatter BY_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private BackupNames() {}

    /** The name of a backup that is given none, as in 2026-12-31T235959Z. */
    public static String at(Instant time) {
        return BY_TIME.format(time);
    }

    /**
     * Returns {@code name}.
     *
     * @param what it is the name of, for the message
     * @throws BlockException EINVAL with the rule, if nothing can have that name
     */
    public static String check(String what, String name) {
        if (!isLegal(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal name of a "
                            + what
                            + ": name="
                            + NameText.printable(name)
                            + ", expected=1 to 200 characters out of A-Z a-z 0-9 . _ -, not starting"
                            + " with . or -");
        }
        return name;
    }

    static boolean isLegal(String name) {
        return LEGAL.matcher(name).matches();
    }

    /** What the snapshot is called that a chain of backups goes on from. */
    static String snapshot(String chain, long number) {
        return "backup-" + chain + '-' + number;
    }

    /** The chain of backups that goes on from a snapshot of that name; empty: none does. */
    public static Optional<String> chainOf(String snapshot) {
        Matcher matcher = SNAPSHOT.matcher(snapshot);
        return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
    }
}
