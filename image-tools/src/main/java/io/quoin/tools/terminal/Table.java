package io.quoin.tools.terminal;

import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Columns for a person; those given so are aligned to the right.
 *
 * <p>Threading: confined to the main thread.
 */
public final class Table {
    private static final String GAP = "  ";

    private final List<String> header;
    private final boolean[] right;
    private final List<List<String>> rows = new ArrayList<>();

    /** A header that starts with {@code >} makes a column of numbers. */
    public Table(String... header) {
        this.header = new ArrayList<>();
        this.right = new boolean[header.length];
        for (int i = 0; i < header.length; i++) {
            right[i] = header[i].startsWith(">");
            this.header.add(right[i] ? header[i].substring(1) : header[i]);
        }
    }

    public void row(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(NameText.printable(String.valueOf(cell)));
        }
        rows.add(row);
    }

    public void print(PrintWriter out) {
        int[] widths = new int[header.size()];
        measure(header, widths);
        rows.forEach(row -> measure(row, widths));
        printRow(out, header, widths);
        rows.forEach(row -> printRow(out, row, widths));
    }

    private static void measure(List<String> row, int[] widths) {
        for (int i = 0; i < row.size(); i++) {
            widths[i] = Math.max(widths[i], row.get(i).length());
        }
    }

    private void printRow(PrintWriter out, List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            String pad = " ".repeat(widths[i] - row.get(i).length());
            line.append(i == 0 ? "" : GAP).append(right[i] ? pad + row.get(i) : row.get(i) + pad);
        }
        out.println(line.toString().stripTrailing());
    }
}
