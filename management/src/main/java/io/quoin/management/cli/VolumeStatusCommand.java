package io.quoin.management.cli;

import io.quoin.management.operation.ScrubRecord;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeStatus;
import io.quoin.management.operation.VolumeStatusView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/**
 * {@code quoin volume status}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "status",
        description = "Show how the bricks of a started volume are, and copies of open files.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin volume status safe",
            "  quoin volume status safe --output json"
        })
final class VolumeStatusCommand extends VolumeCommand.OnOne {
    @Override
    void run(VolumeClient client, OutputOption out) {
        VolumeStatusView view = client.call(VolumeStatus.TYPE, new VolumeStatus.Request(name()));
        out.print(view, writer -> print(view, writer));
    }

    private static void print(VolumeStatusView view, PrintWriter writer) {
        writer.println("Status of volume: " + view.name());
        Table bricks = new Table("BRICK", "ONLINE", ">FREE", ">TOTAL", "SINCE", "REASON");
        for (VolumeStatusView.Brick brick : view.bricks()) {
            bricks.row(
                    brick.address() + (brick.isArbiter() ? " (arbiter)" : ""),
                    brick.isOnline() ? "Y" : "N",
                    bytes(brick.freeBytes()),
                    bytes(brick.totalBytes()),
                    text(brick.since()),
                    text(brick.reason()));
        }
        bricks.print(writer);
        if (view.lastScrub() != null) {
            writer.println();
            printScrub(view.lastScrub(), writer);
        }
        if (view.files().isEmpty()) {
            return;
        }
        writer.println();
        Table files = new Table("FILE", "SET", "STATE", "BRICK", "ROLE", ">LEFT");
        for (VolumeStatusView.File file : view.files()) {
            for (VolumeStatusView.Copy copy : file.copies()) {
                files.row(
                        DiskCommand.printable(file.name()),
                        file.set(),
                        file.state(),
                        view.bricks().get(copy.brick()).address(),
                        copy.role(),
                        ByteSize.human(copy.leftBytes()));
            }
        }
        files.print(writer);
    }

    /** One line, if there was one. */
    static void printScrub(@Nullable ScrubRecord last, PrintWriter writer) {
        if (last != null) {
            writer.println(
                    "Last scrub: "
                            + last.endedAt()
                            + ", "
                            + VolumeScrubCommand.text(last.found())
                            + (last.failure() == null ? "" : ", ended early: " + last.failure()));
        }
    }

    private static String bytes(@Nullable Long count) {
        return count == null ? "-" : ByteSize.human(count);
    }

    private static String text(@Nullable String value) {
        return value == null ? "-" : value;
    }
}
