package io.quoin.nbd.peer;

import org.jspecify.annotations.Nullable;

/**
 * Text that a client chose, or that has such text in it, for a line of the log: cut, in quotes, and
 * with everything escaped that could end the line, change the terminal, or pass for something else.
 *
 * <p>Threading: immutable.
 */
public final class ClientText {
    /** Characters that are shown of a text. */
    public static final int LENGTH_MAX = 200;

    private ClientText() {}

    /** {@code text} in quotes, in one line of printable characters. */
    public static String quoted(@Nullable String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder(Math.min(text.length(), LENGTH_MAX) + 2).append('"');
        int end = Math.min(text.length(), LENGTH_MAX);
        for (int at = 0; at < end; ) {
            int character = text.codePointAt(at);
            append(out, character);
            at += Character.charCount(character);
        }
        out.append('"');
        if (text.length() > LENGTH_MAX) {
            out.append("... (").append(text.length()).append(" characters)");
        }
        return out.toString();
    }

    private static void append(StringBuilder out, int character) {
        switch (character) {
            case '"', '\\' -> out.append('\\').append((char) character);
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
                if (isPrintable(character)) {
                    out.appendCodePoint(character);
                } else {
                    out.append("\\u{").append(Integer.toHexString(character)).append('}');
                }
            }
        }
    }

    /** Not so: controls, what changes the direction of writing, line ends, what is undefined. */
    private static boolean isPrintable(int character) {
        return switch (Character.getType(character)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.PRIVATE_USE,
                    Character.SURROGATE,
                    Character.UNASSIGNED ->
                    false;
            default -> true;
        };
    }
}
