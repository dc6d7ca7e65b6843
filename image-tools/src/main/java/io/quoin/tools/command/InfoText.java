package io.quoin.tools.command;

import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;

/**
 * What is known of an image, for a person.
 *
 * <p>Threading: confined to the main thread.
 */
final class InfoText {
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private InfoText() {}

    static void print(Map<String, Object> info, PrintWriter out) {
        print(info, "", out);
    }

    private static void print(Map<?, ?> values, String indent, PrintWriter out) {
        values.forEach((name, value) -> printField(String.valueOf(name), value, indent, out));
    }

    private static void printField(String name, Object value, String indent, PrintWriter out) {
        if (value instanceof Map<?, ?> nested) {
            out.println(indent + name + ":");
            print(nested, indent + "  ", out);
        } else if (name.equals("snapshots") && value instanceof List<?> snapshots) {
            out.println(indent + name + ":");
            printSnapshots(snapshots, out);
        } else if (value instanceof List<?> list && isOfMaps(list)) {
            out.println(indent + name + ":");
            for (Object element : list) {
                out.println(indent + "  - " + oneLine((Map<?, ?>) element));
            }
        } else if (isSize(name) && value instanceof Long bytes) {
            out.println(indent + name + ": " + ByteSize.human(bytes) + " (" + bytes + " bytes)");
        } else {
            out.println(indent + name + ": " + NameText.printable(String.valueOf(value)));
        }
    }

    private static boolean isSize(String name) {
        return name.endsWith("-size");
    }

    private static boolean isOfMaps(List<?> list) {
        return list.stream().allMatch(Map.class::isInstance);
    }

    private static String oneLine(Map<?, ?> values) {
        StringBuilder text = new StringBuilder();
        values.forEach(
                (name, value) ->
                        text.append(text.length() == 0 ? "" : ", ")
                                .append(name)
                                .append(": ")
                                .append(value));
        return text.toString();
    }

    private static void printSnapshots(List<?> snapshots, PrintWriter out) {
        Table table = new Table("ID", "NAME", "VM SIZE", "DATE", "VM CLOCK");
        for (Object element : snapshots) {
            Map<?, ?> snapshot = (Map<?, ?>) element;
            table.row(
                    String.valueOf(snapshot.get("id")),
                    String.valueOf(snapshot.get("name")),
                    ByteSize.human(number(snapshot, "vm-state-size")),
                    DATE.format(Instant.ofEpochSecond(number(snapshot, "date-sec"))),
                    clock(number(snapshot, "vm-clock-sec"), number(snapshot, "vm-clock-nsec")));
        }
        table.print(out);
    }

    private static String clock(long seconds, long nanos) {
        return String.format(
                "%02d:%02d:%02d.%03d",
                seconds / 3600, seconds / 60 % 60, seconds % 60, nanos / 1_000_000);
    }

    private static long number(Map<?, ?> values, String name) {
        return values.get(name) instanceof Number number ? number.longValue() : 0;
    }
}
