package io.quoin.stripe;

import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What parts are called that have no name yet, or none any more: {@code quoin-unlinked-ID}, by the
 * id of their striped file.
 *
 * <p>Threading: immutable.
 */
final class UnlinkedNames {
    private static final String PREFIX = "quoin-unlinked-";
    private static final Pattern ANY =
            Pattern.compile(PREFIX + "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})");

    private UnlinkedNames() {}

    static String of(UUID fileId) {
        return PREFIX + fileId.toString().toLowerCase(Locale.ROOT);
    }

    /** The id in such a name; empty for any other name. */
    static Optional<UUID> parse(String fileName) {
        Matcher matcher = ANY.matcher(fileName);
        return matcher.matches()
                ? Optional.of(UUID.fromString(matcher.group(1)))
                : Optional.empty();
    }

    static boolean isOne(String fileName) {
        return fileName.startsWith(PREFIX) && parse(fileName).isPresent();
    }
}
