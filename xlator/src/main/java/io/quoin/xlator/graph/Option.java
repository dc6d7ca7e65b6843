package io.quoin.xlator.graph;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An option of an xlator.
 *
 * <p>Threading: immutable.
 *
 * @param name as in the volfile, for example {@code cache-size}
 * @param type what its value looks like
 * @param defaultValue used where the volfile gives none; null if it must be given
 * @param choices the legal values of a {@link Type#CHOICE}; else empty
 * @param description one sentence
 */
public record Option(
        String name,
        Type type,
        @Nullable String defaultValue,
        List<String> choices,
        String description) {

    /** What a value looks like. */
    public enum Type {
        STRING("text"),
        /** on, off, yes, no, true, false, enable, disable. */
        BOOLEAN("on or off"),
        INTEGER("a whole number, with an optional K, M or G (times 1000)"),
        /** Powers of 1024, as in {@code 64K}, {@code 10GB}, {@code 1MiB}. */
        SIZE("bytes, with an optional K, M, G, T or P (times 1024)"),
        /** As in {@code 500us}, {@code 20ms}, {@code 10s}, {@code 5m}. */
        DURATION("a time with a unit: ns, us, ms, s, m or h"),
        /** As in {@code 10}, {@code 10%}, {@code 0.5%}. */
        PERCENT("a percentage from 0 to 100"),
        PATH("a path"),
        CHOICE("one of the choices");

        private final String text;

        Type(String text) {
            this.text = text;
        }

        /** For messages and documentation. */
        public String text() {
            return text;
        }
    }

    public static Option of(String name, Type type, String defaultValue, String description) {
        return new Option(name, type, defaultValue, List.of(), description);
    }

    public static Option required(String name, Type type, String description) {
        return new Option(name, type, null, List.of(), description);
    }

    public static Option choice(
            String name, List<String> choices, String defaultValue, String description) {
        return new Option(name, Type.CHOICE, defaultValue, choices, description);
    }
}
