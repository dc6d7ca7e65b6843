package io.quoin.management.cli;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Names out of a pattern with a number, as in {@code vm-%04d}.
 *
 * <p>Threading: immutable.
 */
final class CloneNames {
    private static final Pattern NUMBER = Pattern.compile("%(0[1-9])?d");

    private CloneNames() {}

    /** Whether {@code pattern} has one number, {@code %d} or {@code %0Nd}, and nothing like it. */
    static boolean isPattern(String pattern) {
        Matcher number = NUMBER.matcher(pattern);
        return number.find() && number.replaceFirst("").indexOf('%') < 0;
    }

    /** The names for {@code count} numbers from {@code first} on. */
    static List<String> of(String pattern, int first, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> String.format(Locale.ROOT, pattern, (long) first + i))
                .toList();
    }
}
