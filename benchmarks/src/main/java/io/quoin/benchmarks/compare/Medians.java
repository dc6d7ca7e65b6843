package io.quoin.benchmarks.compare;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The rounds of each contender in each row as medians, and the first contender's beside the
 * others'.
 *
 * <p>Threading: immutable.
 *
 * @param <T> the measurement of one contender in one row of one round
 * @param contenders the first of which the others are compared with
 * @param figure what the ratios are of
 */
record Medians<T>(
        List<String> contenders,
        List<T> measured,
        Function<T, String> rowOf,
        Function<T, String> contenderOf,
        ToDoubleFunction<T> figure) {
    Medians {
        contenders = List.copyOf(contenders);
        measured = List.copyOf(measured);
    }

    List<String> others() {
        return contenders.subList(1, contenders.size());
    }

    /** Whether there is a figure at all: a contender may have ended. */
    boolean has(String row, String contender) {
        return measured.stream()
                .anyMatch(
                        one ->
                                rowOf.apply(one).equals(row)
                                        && contenderOf.apply(one).equals(contender));
    }

    double of(String row, String contender, ToDoubleFunction<T> value) {
        double[] sorted =
                measured.stream()
                        .filter(one -> rowOf.apply(one).equals(row))
                        .filter(one -> contenderOf.apply(one).equals(contender))
                        .mapToDouble(value)
                        .sorted()
                        .toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** The first contender's figure as a multiple of another's. */
    double ratio(String row, String other) {
        return of(row, contenders.get(0), figure) / of(row, other, figure);
    }

    /** One value of all contenders, for a cell of the table. */
    String each(String row, String pattern, ToDoubleFunction<T> value) {
        return contenders.stream()
                .map(contender -> format(pattern, of(row, contender, value)))
                .collect(Collectors.joining(" / "));
    }

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
