package io.quoin.xlator.graph;

import java.util.Collection;
import java.util.Optional;

/**
 * Finds what somebody may have meant, by the Levenshtein distance.
 *
 * <p>Threading: immutable.
 */
public final class NearestName {
    private NearestName() {}

    /** A message for an unknown name, with the nearest known one where it is near enough. */
    public static String unknown(String what, String name, Collection<String> known) {
        String hint = find(name, known).map(near -> "; did you mean " + near + "?").orElse("");
        return "unknown "
                + what
                + ": name="
                + name
                + ", expected=one of "
                + String.join(", ", known)
                + hint;
    }

    /** The known name nearest to {@code name}, where one is near enough. */
    public static Optional<String> find(String name, Collection<String> known) {
        int nearMax = Math.max(1, name.length() / 3);
        String best = null;
        int bestDistance = nearMax + 1;
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    private static int distance(String a, String b) {
        int[] previous = new int[b.length() + 1];
        int[] current = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(substitution, Math.min(previous[j], current[j - 1]) + 1);
            }
            int[] swap = previous;
            previous = current;
            current = swap;
        }
        return previous[b.length()];
    }
}
