package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The values of an xlator's options: given ones and defaults, each checked against its type before
 * the node is made.
 *
 * <p>Threading: immutable.
 */
public final class OptionValues {
    private static final Pattern NUMBER =
            Pattern.compile("(\\d+)\\s*([KMGTP]?)(i?B)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern TIME = Pattern.compile("(\\d+)\\s*(ns|us|ms|s|m|h)");
    private static final Pattern PERCENTAGE = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*%?");
    private static final String MAGNITUDES = "KMGTP";

    private final OptionTable table;
    private final Map<String, String> given;

    /**
     * @throws BlockException naming the option, if one is unknown, missing or of the wrong type
     */
    public OptionValues(OptionTable table, Map<String, String> given) {
        this.table = table;
        this.given = Map.copyOf(given);
        for (String name : given.keySet()) {
            if (table.find(name).isEmpty()) {
                throw new BlockException(
                        BlockError.EINVAL, NearestName.unknown("option", name, names()));
            }
        }
        for (Option option : table.options()) {
            check(option);
        }
    }

    /** The given values, without the defaults. */
    public Map<String, String> given() {
        return given;
    }

    public String string(String name) {
        Option option =
                table.find(name)
                        .orElseThrow(() -> new AssertionError("option not in the table: " + name));
        String value = given.get(name);
        if (value != null) {
            return value;
        }
        if (option.defaultValue() == null) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "option missing: name=" + name + ", expected=" + option.type().text());
        }
        return option.defaultValue();
    }

    public boolean bool(String name) {
        return switch (string(name).toLowerCase(Locale.ROOT)) {
            case "on", "yes", "true", "enable", "1" -> true;
            case "off", "no", "false", "disable", "0" -> false;
            default -> throw wrong(name, string(name), Option.Type.BOOLEAN.text());
        };
    }

    public long integer(String name) {
        return scaled(name, 1000, Option.Type.INTEGER);
    }

    public long sizeBytes(String name) {
        return scaled(name, 1024, Option.Type.SIZE);
    }

    /** A percentage, rounded. */
    public int percent(String name) {
        return (int) Math.round(fraction(name) * 100);
    }

    /** A percentage as a number from 0 to 1. */
    public double fraction(String name) {
        Matcher matcher = PERCENTAGE.matcher(string(name).trim());
        double value = matcher.matches() ? Double.parseDouble(matcher.group(1)) : -1;
        if (value < 0 || value > 100) {
            throw wrong(name, string(name), Option.Type.PERCENT.text());
        }
        return value / 100;
    }

    public long durationNanos(String name) {
        Matcher matcher = TIME.matcher(string(name).trim());
        if (!matcher.matches()) {
            throw wrong(name, string(name), Option.Type.DURATION.text());
        }
        long unit =
                switch (matcher.group(2)) {
                    case "ns" -> 1L;
                    case "us" -> 1_000L;
                    case "ms" -> 1_000_000L;
                    case "s" -> 1_000_000_000L;
                    case "m" -> 60_000_000_000L;
                    default -> 3_600_000_000_000L;
                };
        return multiply(name, matcher.group(1), unit, Option.Type.DURATION);
    }

    public Path path(String name) {
        return NameText.path(string(name));
    }

    private void check(Option option) {
        String name = option.name();
        switch (option.type()) {
            case STRING, PATH -> string(name);
            case BOOLEAN -> bool(name);
            case INTEGER -> integer(name);
            case SIZE -> sizeBytes(name);
            case DURATION -> durationNanos(name);
            case PERCENT -> percent(name);
            case CHOICE -> {
                if (!option.choices().contains(string(name))) {
                    throw wrong(
                            name, string(name), "one of " + String.join(", ", option.choices()));
                }
            }
        }
    }

    private long scaled(String name, int base, Option.Type type) {
        Matcher matcher = NUMBER.matcher(string(name).trim());
        if (!matcher.matches()) {
            throw wrong(name, string(name), type.text());
        }
        long unit = 1;
        String magnitude = matcher.group(2).toUpperCase(Locale.ROOT);
        for (int i = 0; !magnitude.isEmpty() && i <= MAGNITUDES.indexOf(magnitude); i++) {
            unit *= base;
        }
        return multiply(name, matcher.group(1), unit, type);
    }

    private long multiply(String name, String digits, long unit, Option.Type type) {
        try {
            return Math.multiplyExact(Long.parseLong(digits), unit);
        } catch (ArithmeticException | NumberFormatException e) {
            throw wrong(name, string(name), type.text() + ", below 2^63");
        }
    }

    private static BlockException wrong(String name, String value, String expected) {
        return new BlockException(
                BlockError.EINVAL,
                "option has a wrong value: name="
                        + name
                        + ", expected="
                        + expected
                        + ", actual="
                        + value);
    }

    private List<String> names() {
        return table.options().stream().map(Option::name).toList();
    }
}
