package io.quoin.management.cli;

import io.quoin.management.operation.DiskDu;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin disk du}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "du",
        description = "Show what disks and their snapshots take alone, and what they share.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "ALLOCATED is what the image of a disk takes with all that is in it, and gives back if"
                    + " the disk",
            "is removed. EXCLUSIVE is what nothing else in that image uses: it becomes free if a"
                    + " snapshot is",
            "removed. SHARED is used by others of the disk and its snapshots too. CHILDREN is how"
                    + " many disks",
            "stand on it: they take up what was written to them alone, and keep what they stand on.",
            "",
            "Guests go on; what is told was so at one moment of each disk. Images are counted one"
                    + " after the",
            "other, by their tables, and wait for a check that runs.",
            "",
            "Examples:",
            "  quoin disk du",
            "  quoin disk du vm1 --output json"
        })
final class DiskDuCommand extends ByJob {
    @Parameters(arity = "0..*", paramLabel = "DISK", description = "the disks (default: all)")
    private List<String> names = new ArrayList<>();

    @Override
    Started<?> start() {
        return new Started<>(DiskDu.TYPE, new DiskDu.Request(names));
    }

    @Override
    String doing() {
        return "counting";
    }

    @Override
    void print(Map<String, Object> result, PrintWriter writer) {
        Table table = new Table("NAME", ">ALLOCATED", ">EXCLUSIVE", ">SHARED", ">CHILDREN");
        if (result.get("disks") instanceof List<?> disks) {
            for (Object disk : disks) {
                if (disk instanceof Map<?, ?> usage) {
                    table.row(
                            DiskCommand.printable(String.valueOf(usage.get("name"))),
                            bytes(usage.get("allocatedBytes")),
                            bytes(usage.get("exclusiveBytes")),
                            bytes(usage.get("sharedBytes")),
                            String.valueOf(usage.get("children")));
                }
            }
        }
        table.print(writer);
    }

    private static String bytes(@Nullable Object value) {
        return value instanceof Number number ? ByteSize.human(number.longValue()) : "-";
    }
}
