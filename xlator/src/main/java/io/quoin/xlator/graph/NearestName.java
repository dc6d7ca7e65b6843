package io.quoin.xlator.graph;

import java.util.Collection;
import java.util.Optional;

/**
 * Finds what a user may have meant, by the edit distance.
 *
 * <p>Threading: immutable.
 */
public final class NearestName {
    private static final int NAME_LENGTH_MAX = 256;

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
        if (name.length() > NAME_LENGTH_MAX) {
            return Optional.empty();
        }
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

    /** Letters to add, remove, replace, or swap with their neighbour. */
    private static int distance(String a, String b) {
        int[][] rows = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                rows[i][j] = i == 0 || j == 0 ? i + j : step(rows, a, b, i, j);
            }
        }
        return rows[a.length()][b.length()];
    }

    private static int step(int[][] rows, String a, String b, int i, int j) {
        char last = a.charAt(i - 1);
        int replaced = rows[i - 1][j - 1] + (last == b.charAt(j - 1) ? 0 : 1);
        int best = Math.min(replaced, Math.min(rows[i - 1][j], rows[i][j - 1]) + 1);
        boolean isSwapped =
                i > 1 && j > 1 && last == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return isSwapped ? Math.min(best, rows[i - 2][j - 2] + 1) : best;
    }
}
