package io.quoin.tools.terminal;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes as people write them: {@code 10G}, {@code 512M}, {@code 1.5T}, {@code 64KiB}, plain bytes.
 * Units are powers of 1024.
 *
 * <p>Threading: immutable.
 */
public final class ByteSize {
    private static final Pattern TEXT =
            Pattern.compile(
                    "(\\d{1,19}(?:\\.\\d{1,18})?)\\s*(?:([KMGTPE])(?:i?B)?|B)?",
                    Pattern.CASE_INSENSITIVE);
    private static final String MAGNITUDES = "KMGTPE";
    private static final int STEP_BITS = 10;

    private ByteSize() {}

    /**
     * Reads a size.
     *
     * @throws BlockException with EINVAL, if {@code text} is no size
     */
    public static long parse(String text) {
        Matcher matcher = TEXT.matcher(text.trim());
        if (!matcher.matches()) {
            throw illegal(text, "a number with an optional K, M, G, T, P or E, as in 10G or 1.5T");
        }
        String magnitude =
                matcher.group(2) == null ? "" : matcher.group(2).toUpperCase(Locale.ROOT);
        long unit =
                magnitude.isEmpty() ? 1 : 1L << (STEP_BITS * (MAGNITUDES.indexOf(magnitude) + 1));
        try {
            return new BigDecimal(matcher.group(1))
                    .multiply(BigDecimal.valueOf(unit))
                    .longValueExact();
        } catch (ArithmeticException e) {
            throw illegal(text, "a whole number of bytes below 2^63");
        }
    }

    /** For a person: at most four digits and a unit, as in {@code 1.5 TiB}. */
    public static String human(long bytes) {
        int step = Math.max(0, (63 - Long.numberOfLeadingZeros(Math.max(1, bytes))) / STEP_BITS);
        if (step == 0) {
            return bytes + " B";
        }
        double scaled = (double) bytes / (1L << (STEP_BITS * step));
        String digits = String.format(Locale.ROOT, scaled < 100 ? "%.2f" : "%.1f", scaled);
        String trimmed = digits.replaceFirst("\\.?0+$", "");
        return trimmed + " " + MAGNITUDES.charAt(step - 1) + "iB";
    }

    private static BlockException illegal(String text, String expected) {
        return new BlockException(
                BlockError.EINVAL, "illegal size: value=" + text + ", expected=" + expected);
    }
}
