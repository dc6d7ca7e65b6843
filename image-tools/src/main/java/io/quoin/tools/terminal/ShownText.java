package io.quoin.tools.terminal;

import io.quoin.xlator.NameText;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * Text for a terminal or a file, in UTF-8 whatever the locale is. Of a name that is no UTF-8 the
 * bytes that are none are shown as {@code \\xHH}.
 *
 * <p>Threading: as a {@link Writer}.
 */
public final class ShownText extends Writer {
    private final Writer out;

    /** The first half of a character whose second has not been written yet; else 0. */
    private char half;

    ShownText(Writer out) {
        this.out = out;
    }

    /** Prints to {@code stream}, a line at once. */
    public static PrintWriter writer(OutputStream stream) {
        Writer utf8 = new OutputStreamWriter(stream, StandardCharsets.UTF_8);
        return new PrintWriter(new ShownText(utf8), true);
    }

    @Override
    public void write(char[] text, int start, int length) throws IOException {
        StringBuilder shown = new StringBuilder(length);
        for (int i = start; i < start + length; i++) {
            add(text[i], shown);
        }
        out.append(shown);
    }

    private void add(char c, StringBuilder shown) {
        if (half != 0 && Character.isLowSurrogate(c)) {
            shown.append(half).append(c);
            half = 0;
            return;
        }
        flushHalf(shown);
        if (Character.isHighSurrogate(c)) {
            half = c;
        } else if (Character.isLowSurrogate(c)) {
            shown.append(NameText.printable(String.valueOf(c)));
        } else {
            shown.append(c);
        }
    }

    private void flushHalf(StringBuilder shown) {
        if (half != 0) {
            shown.append(NameText.printable(String.valueOf(half)));
            half = 0;
        }
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        StringBuilder rest = new StringBuilder();
        flushHalf(rest);
        out.append(rest);
        out.close();
    }
}
