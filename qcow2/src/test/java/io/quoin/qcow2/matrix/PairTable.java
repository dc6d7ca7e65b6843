package io.quoin.qcow2.matrix;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which pairs of values no row has had yet.
 *
 * <p>Threading: confined to the test.
 */
final class PairTable {
    private static final int TRIES = 2000;

    private final int[] values;
    private final Predicate<int[]> valid;
    private final Set<Long> left = new HashSet<>();

    /**
     * @param values how many values each parameter has
     */
    PairTable(int[] values, Predicate<int[]> valid) {
        this.values = values.clone();
        this.valid = valid;
        for (int a = 0; a < values.length; a++) {
            for (int b = a + 1; b < values.length; b++) {
                for (int x = 0; x < values[a]; x++) {
                    for (int y = 0; y < values[b]; y++) {
                        left.add(pair(a, x, b, y));
                    }
                }
            }
        }
    }

    private static long pair(int a, int x, int b, int y) {
        return ((a * 100L + x) * 100 + b) * 100 + y;
    }

    int left() {
        return left.size();
    }

    /** A row with many of the pairs that are left; pairs that no valid row has are given up. */
    int[] next(Random random, int candidates) {
        long wanted = left.stream().min(Long::compare).orElseThrow();
        int[] best = new int[0];
        int most = 0;
        for (int i = 0; i < candidates; i++) {
            int[] row = randomWith(random, wanted);
            int gain = row.length == 0 ? 0 : count(row);
            if (gain > most) {
                most = gain;
                best = row;
            }
        }
        if (most == 0) {
            left.remove(wanted);
            return random(random);
        }
        take(best);
        return best;
    }

    private int[] randomWith(Random random, long wanted) {
        int y = (int) (wanted % 100);
        int b = (int) (wanted / 100 % 100);
        int x = (int) (wanted / 10_000 % 100);
        int a = (int) (wanted / 1_000_000);
        for (int i = 0; i < TRIES; i++) {
            int[] row = draw(random);
            row[a] = x;
            row[b] = y;
            if (valid.test(row)) {
                return row;
            }
        }
        return new int[0];
    }

    int[] random(Random random) {
        int[] row;
        do {
            row = draw(random);
        } while (!valid.test(row));
        return row;
    }

    private int[] draw(Random random) {
        int[] row = new int[values.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = random.nextInt(values[i]);
        }
        return row;
    }

    private int count(int[] row) {
        int count = 0;
        for (int a = 0; a < row.length; a++) {
            for (int b = a + 1; b < row.length; b++) {
                count += left.contains(pair(a, row[a], b, row[b])) ? 1 : 0;
            }
        }
        return count;
    }

    private void take(int[] row) {
        for (int a = 0; a < row.length; a++) {
            for (int b = a + 1; b < row.length; b++) {
                left.remove(pair(a, row[a], b, row[b]));
            }
        }
    }
}
