package io.quoin.management.cli;

import io.quoin.management.operation.SnapgroupRm;
import io.quoin.management.operation.SnapshotAll;
import io.quoin.management.operation.SnapshotInfo;
import io.quoin.management.operation.SnapshotLs;
import io.quoin.management.operation.SnapshotRename;
import io.quoin.management.operation.SnapshotRm;
import io.quoin.management.operation.SnapshotRollback;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.GroupView;
import io.quoin.management.volume.SnapshotView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin snapshot}: the internal snapshots of a volume's disks.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "snapshot",
        description =
                "Create, list, show, compare, rename and remove snapshots of disks, and roll back to"
                        + " them.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A snapshot is named DISK@SNAPSHOT. It lies in the image of its disk, where QEMU finds it"
                    + " too,",
            "and can be read over NBD by that name, and cloned: see quoin disk clone.",
            "",
            "Examples:",
            "  quoin snapshot create vm1@monday",
            "  quoin snapshot ls vm1",
            "  nbdcopy \"$(quoin disk uri vm1@monday | head -1)\" monday.img"
        })
@Subcommands({
    SnapshotCreateCommand.class,
    SnapshotCommand.Ls.class,
    SnapshotCommand.Info.class,
    SnapshotDiffCommand.class,
    SnapshotCommand.Rename.class,
    SnapshotCommand.Rm.class,
    SnapshotCommand.Rollback.class
})
final class SnapshotCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin snapshot ls}. */
    @Command(
            name = "ls",
            description = "List the snapshots of a disk, or of all.",
            mixinStandardHelpOptions = true,
            footer = {"", "Examples:", "  quoin snapshot ls", "  quoin snapshot ls vm1"})
    static final class Ls extends DiskCommand.OnVolume {
        @Parameters(
                arity = "0..1",
                paramLabel = "DISK",
                description = "name of the disk (default: all)")
        private @Nullable String disk;

        @Override
        void run(VolumeClient client, OutputOption out) {
            List<SnapshotView> snapshots =
                    disk == null
                            ? client.call(SnapshotAll.TYPE, new SnapshotAll.Request()).snapshots()
                            : client.call(SnapshotLs.TYPE, new SnapshotLs.Request(disk))
                                    .snapshots();
            Map<String, GroupView> groups = GroupNames.of(client, snapshots);
            out.print(snapshots, writer -> printTable(snapshots, groups, writer));
        }
    }

    /** {@code quoin snapshot info}. */
    @Command(
            name = "info",
            description = "Show one snapshot, and the disks that stand on it.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin snapshot info vm1@monday"})
    static final class Info extends DiskCommand.OnVolume {
        @Parameters(paramLabel = "DISK@SNAPSHOT", description = "the snapshot, by name or id")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        void run(VolumeClient client, OutputOption out) {
            NamedSnapshot which = NamedSnapshot.of(name);
            SnapshotInfo.Result found =
                    client.call(
                            SnapshotInfo.TYPE,
                            new SnapshotInfo.Request(which.disk(), which.snapshot()));
            Map<String, GroupView> groups = GroupNames.of(client, List.of(found.snapshot()));
            out.print(found, writer -> print(found, groups, writer));
        }

        private static void print(
                SnapshotInfo.Result found, Map<String, GroupView> groups, PrintWriter writer) {
            SnapshotView snapshot = found.snapshot();
            writer.println("name: " + DiskCommand.printable(snapshot.fullName()));
            writer.println("id: " + DiskCommand.printable(snapshot.id()));
            if (snapshot.uuid() != null) {
                writer.println("uuid: " + snapshot.uuid());
            }
            writer.println("created: " + snapshot.createdAt());
            writer.println("size: " + DiskCommand.exact(snapshot.sizeBytes()));
            if (snapshot.vmStateBytes() > 0) {
                writer.println("vm state: " + DiskCommand.exact(snapshot.vmStateBytes()));
            }
            if (snapshot.uuid() != null) {
                writer.println(
                        "consistency: "
                                + (snapshot.frozen()
                                        ? "file systems stood still"
                                        : "as after a power failure"));
            }
            printGroup(snapshot, groups, writer);
            writer.println("connections: " + snapshot.connections());
            if (!found.children().isEmpty()) {
                writer.println("children: " + String.join(", ", found.children()));
            }
        }
    }

    private static void printGroup(
            SnapshotView snapshot, Map<String, GroupView> groups, PrintWriter writer) {
        String uuid = snapshot.group();
        if (uuid == null) {
            return;
        }
        writer.println("group: " + GroupNames.text(uuid, groups));
        writer.println("group uuid: " + uuid);
        GroupView group = groups.get(uuid);
        if (group != null) {
            writer.println("made with: " + String.join(", ", group.snapshots()));
        }
        if (group != null && !group.removed().isEmpty()) {
            writer.println("removed since: " + String.join(", ", group.removed()));
        }
    }

    /** {@code quoin snapshot rename}. */
    @Command(
            name = "rename",
            description = "Give a snapshot another name.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Refused while something reads the snapshot, or a disk stands on it.",
                "",
                "Example:",
                "  quoin snapshot rename vm1@monday before-upgrade"
            })
    static final class Rename extends DiskCommand.OnVolume {
        @Parameters(
                index = "0",
                paramLabel = "DISK@SNAPSHOT",
                description = "the snapshot, by name or id")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(
                index = "1",
                paramLabel = "NEWNAME",
                description = "its new name, without the disk's")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String newName;

        @Override
        void run(VolumeClient client, OutputOption out) {
            NamedSnapshot which = NamedSnapshot.of(name);
            SnapshotView renamed =
                    client.call(
                            SnapshotRename.TYPE,
                            new SnapshotRename.Request(which.disk(), which.snapshot(), newName));
            out.print(
                    renamed,
                    writer ->
                            writer.println(
                                    "Renamed "
                                            + DiskCommand.printable(name)
                                            + " to "
                                            + DiskCommand.printable(renamed.fullName())));
        }
    }

    /** {@code quoin snapshot rm}. */
    @Command(
            name = "rm",
            description = "Remove a snapshot, and give back the space that it alone takes.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Guests go on. Refused while something reads the snapshot, or a disk stands on it.",
                "backup-CHAIN-N is what the next backup goes on from; it goes when that is made, and is",
                "removed with --break-chain alone.",
                "Where a service runs it is a job of it, and goes on if this command is ended. If the"
                        + " job",
                "is cancelled the snapshot is gone all the same; what was not given back yet is when"
                        + " the",
                "disk is next opened.",
                "",
                "--dry-run tells how many bytes of the image's clusters it alone has, which is what"
                        + " would",
                "become free. quoin job pause has a removal rest.",
                "",
                "With --group one after the other is removed, and none if one of them is read. One of"
                        + " a group",
                "can be removed alone.",
                "",
                "Examples:",
                "  quoin snapshot rm vm1@monday",
                "  quoin snapshot rm --dry-run vm1@monday",
                "  quoin snapshot rm --group monday"
            })
    static final class Rm extends ByJob {
        @Parameters(
                arity = "0..1",
                paramLabel = "DISK@SNAPSHOT",
                description = "the snapshot, by name or id")
        private @Nullable String name;

        @Option(
                names = "--group",
                paramLabel = "NAME",
                description = "all that were made at one instant under that name, or that UUID")
        private @Nullable String group;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Option(
                names = "--break-chain",
                description =
                        "also one that backups go on from: the next backup is a full one then")
        private boolean breakChain;

        @Option(
                names = "--dry-run",
                description = "remove nothing, and tell what would become free")
        private boolean dryRun;

        @Override
        Started<?> start() {
            if (group != null && dryRun) {
                throw new ParameterException(
                        spec.commandLine(), "--dry-run is for one snapshot, not for --group");
            }
            if ((name == null) == (group == null)) {
                throw new ParameterException(
                        spec.commandLine(), "either DISK@SNAPSHOT or --group NAME expected");
            }
            if (name == null) {
                return new Started<>(
                        SnapgroupRm.TYPE, new SnapgroupRm.Request(String.valueOf(group)));
            }
            NamedSnapshot which = NamedSnapshot.of(name);
            return new Started<>(
                    SnapshotRm.TYPE,
                    new SnapshotRm.Request(
                            which.disk(), which.snapshot(), breakChain, dryRun, null));
        }

        @Override
        String doing() {
            return dryRun ? "counting" : "removing";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            if (dryRun) {
                writer.println(
                        "Would remove "
                                + DiskCommand.printable(String.valueOf(name))
                                + ": "
                                + DiskCommand.exact(number(result, "freedBytes"))
                                + " freed; nothing was changed");
                return;
            }
            if (result.get("snapshots") instanceof List<?> removed) {
                removed.forEach(each -> writer.println("Removed " + each));
                return;
            }
            long freed = number(result, "freedBytes");
            writer.println(
                    "Removed "
                            + DiskCommand.printable(String.valueOf(name))
                            + (freed > 0
                                    ? ": " + ByteSize.human(freed) + " freed"
                                    : ": no space freed, as others use what it held")
                            + "; the image takes "
                            + ByteSize.human(number(result, "allocatedBytes")));
        }
    }

    /** {@code quoin snapshot rollback}. */
    @Command(
            name = "rollback",
            description = "Make a disk what it was at a snapshot. What was written since is lost.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Refused while a client is attached to the disk, and while other disks stand on it."
                        + " Other",
                "snapshots of the disk stay. To keep what was written since, make a snapshot first.",
                "Where a service runs it is a job of it, and goes on if this command is ended.",
                "",
                "Example:",
                "  quoin snapshot rollback vm1@monday"
            })
    static final class Rollback extends ByJob {
        @Parameters(paramLabel = "DISK@SNAPSHOT", description = "the snapshot, by name or id")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        Started<?> start() {
            NamedSnapshot which = NamedSnapshot.of(name);
            return new Started<>(
                    SnapshotRollback.TYPE,
                    new SnapshotRollback.Request(which.disk(), which.snapshot()));
        }

        @Override
        String doing() {
            return "rolling back";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            writer.println(
                    "Rolled back to "
                            + DiskCommand.printable(name)
                            + ", "
                            + ByteSize.human(number(result, "sizeBytes")));
        }
    }

    private static void printTable(
            List<SnapshotView> snapshots, Map<String, GroupView> groups, PrintWriter writer) {
        Table table = new Table("NAME", "CREATED", ">SIZE", ">VM STATE", ">CONNECTIONS", "GROUP");
        for (SnapshotView snapshot : snapshots) {
            table.row(
                    snapshot.fullName(),
                    toTheSecond(snapshot.createdAt()),
                    ByteSize.human(snapshot.sizeBytes()),
                    snapshot.vmStateBytes() == 0 ? "-" : ByteSize.human(snapshot.vmStateBytes()),
                    snapshot.connections(),
                    GroupNames.text(snapshot.group(), groups));
        }
        table.print(writer);
    }

    private static Instant toTheSecond(String time) {
        return Instant.parse(time).truncatedTo(ChronoUnit.SECONDS);
    }
}
