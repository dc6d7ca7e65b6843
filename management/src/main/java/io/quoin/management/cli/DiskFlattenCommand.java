package io.quoin.management.cli;

import io.quoin.management.operation.DiskFlatten;
import io.quoin.tools.terminal.ByteSize;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin disk flatten}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "flatten",
        description = "Make a clone independent of the disk that it stands on.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "What the disk reads from the other one is copied into it, without what is zeros there;"
                    + " then it",
            "stands on nothing, and the other disk may be removed. Guests go on reading and"
                    + " writing. What is",
            "copied stays if this is cancelled, fails or is cut off, and is not copied again. A"
                    + " disk with",
            "snapshots is refused, as they would still read the other disk, and none are made of"
                    + " it meanwhile.",
            "Where a service runs, this is a job of it, and goes on if this command is ended.",
            "",
            "Examples:",
            "  quoin disk flatten vm1",
            "  quoin disk flatten vm1 --no-wait"
        })
final class DiskFlattenCommand extends ByJob {
    @Parameters(paramLabel = "NAME", description = "name of the disk")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Override
    Started<?> start() {
        return new Started<>(DiskFlatten.TYPE, new DiskFlatten.Request(name));
    }

    @Override
    String doing() {
        return "flattening";
    }

    @Override
    void print(Map<String, Object> result, PrintWriter writer) {
        Object parent = result.get("parent");
        writer.println(
                parent == null
                        ? name + " stands on no other disk"
                        : "Flattened "
                                + name
                                + ", which stood on "
                                + DiskCommand.printable(String.valueOf(parent))
                                + ": "
                                + ByteSize.human(number(result, "copiedBytes"))
                                + " copied");
    }
}
