package io.quoin.tools.terminal;

import java.io.PrintWriter;
import java.util.function.ToLongFunction;

/**
 * The result of a check for a person.
 *
 * <p>Threading: immutable.
 */
public final class CheckText {
    private CheckText() {}

    /** Prints it; {@code field} gives numbers by the names that they have in JSON. */
    public static void print(ToLongFunction<String> field, PrintWriter out) {
        long leaksFixed = field.applyAsLong("leaks-fixed");
        long corruptionsFixed = field.applyAsLong("corruptions-fixed");
        if (leaksFixed + corruptionsFixed > 0) {
            out.println("repaired: leaks=" + leaksFixed + ", corruptions=" + corruptionsFixed);
        }
        long corruptions = field.applyAsLong("corruptions");
        long leaks = field.applyAsLong("leaks");
        long checkErrors = field.applyAsLong("check-errors");
        if (corruptions + leaks + checkErrors == 0) {
            out.println("consistent: no errors");
        } else {
            out.println(
                    "not consistent: corruptions="
                            + corruptions
                            + ", leaks="
                            + leaks
                            + ", not checked="
                            + checkErrors);
        }
        out.println(
                "clusters: allocated="
                        + field.applyAsLong("allocated-clusters")
                        + ", total="
                        + field.applyAsLong("total-clusters")
                        + ", fragmented="
                        + field.applyAsLong("fragmented-clusters")
                        + ", compressed="
                        + field.applyAsLong("compressed-clusters"));
        out.println("image end: " + field.applyAsLong("image-end-offset"));
    }
}
