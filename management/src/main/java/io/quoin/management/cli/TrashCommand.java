package io.quoin.management.cli;

import io.quoin.management.operation.TrashEmpty;
import io.quoin.management.operation.TrashLs;
import io.quoin.management.operation.TrashPurge;
import io.quoin.management.operation.TrashRestore;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.TrashView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin trash}: removed disks that are kept for a while.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "trash",
        description = "List, restore and purge removed disks, which are kept for a while.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "quoin disk rm puts a disk here for 7 days (option trash-time of features/snapshot in"
                    + " the",
            "volfile). It takes the space that it took, and the disk that it stands on cannot be"
                    + " removed.",
            "",
            "Examples:",
            "  quoin trash ls",
            "  quoin trash restore vm1",
            "  quoin trash purge --expired"
        })
@Subcommands({TrashCommand.Ls.class, TrashCommand.Restore.class, TrashCommand.Purge.class})
final class TrashCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin trash ls}. */
    @Command(
            name = "ls",
            description = "List the removed disks that are kept.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin trash ls"})
    static final class Ls extends DiskCommand.OnVolume {
        @Override
        void run(VolumeClient client, OutputOption out) {
            List<TrashView> disks = client.call(TrashLs.TYPE, new TrashLs.Request()).disks();
            out.print(disks, writer -> printTable(disks, writer));
        }

        private static void printTable(List<TrashView> disks, PrintWriter writer) {
            Table table = new Table("ID", "NAME", ">SIZE", ">ALLOCATED", "REMOVED", "EXPIRES");
            long allocatedBytes = 0;
            for (TrashView disk : disks) {
                allocatedBytes += disk.allocatedBytes();
                table.row(
                        disk.id(),
                        disk.name(),
                        ByteSize.human(disk.sizeBytes()),
                        ByteSize.human(disk.allocatedBytes()),
                        disk.removedAt(),
                        disk.expiresAt());
            }
            table.print(writer);
            writer.println("Allocated in all: " + ByteSize.human(allocatedBytes));
        }
    }

    /** {@code quoin trash restore}. */
    @Command(
            name = "restore",
            description = "Make a disk in the trash a disk again.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Refused while another disk has its name.",
                "",
                "Examples:",
                "  quoin trash restore vm1",
                "  quoin trash restore 5f2a90c1 --as vm1-before"
            })
    static final class Restore extends DiskCommand.OnVolume {
        @Parameters(
                paramLabel = "ID",
                description = "of the disk in the trash, or its name if that says which")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String id;

        @Option(
                names = "--as",
                paramLabel = "NAME",
                description = "another name (default: the one that it had)")
        private @Nullable String as;

        @Override
        void run(VolumeClient client, OutputOption out) {
            TrashRestore.Result restored =
                    client.call(TrashRestore.TYPE, new TrashRestore.Request(id, as));
            out.print(restored, writer -> writer.println("Restored " + restored.name()));
        }
    }

    /** {@code quoin trash purge}. */
    @Command(
            name = "purge",
            description = "Remove disks in the trash for good.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "A service does so by itself with what has expired.",
                "",
                "Examples:",
                "  quoin trash purge vm1",
                "  quoin trash purge --expired",
                "  quoin trash purge --all"
            })
    static final class Purge extends DiskCommand.OnVolume {
        @Parameters(
                arity = "0..*",
                paramLabel = "ID",
                description = "of the disks in the trash, or their names where those say which")
        private List<String> ids = new ArrayList<>();

        @Option(names = "--expired", description = "what has expired")
        private boolean expired;

        @Option(names = "--all", description = "everything")
        private boolean all;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        void run(VolumeClient client, OutputOption out) {
            int ways = (ids.isEmpty() ? 0 : 1) + (expired ? 1 : 0) + (all ? 1 : 0);
            if (ways != 1) {
                throw new ParameterException(
                        spec.commandLine(), "one of ID, --expired and --all expected");
            }
            List<TrashView> gone = new ArrayList<>();
            for (String id : ids) {
                gone.add(client.call(TrashPurge.TYPE, new TrashPurge.Request(id)).disk());
            }
            if (ids.isEmpty()) {
                gone.addAll(client.call(TrashEmpty.TYPE, new TrashEmpty.Request(!all)).disks());
            }
            out.print(gone, writer -> gone.forEach(disk -> writer.println("Purged " + text(disk))));
        }

        private static String text(TrashView disk) {
            return disk.name() + ", " + disk.id() + ", " + ByteSize.human(disk.allocatedBytes());
        }
    }
}
