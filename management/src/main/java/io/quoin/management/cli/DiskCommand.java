package io.quoin.management.cli;

import io.quoin.management.operation.DiskCreate;
import io.quoin.management.operation.DiskInfo;
import io.quoin.management.operation.DiskLs;
import io.quoin.management.operation.DiskRename;
import io.quoin.management.operation.DiskRm;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.TrashView;
import io.quoin.snapshot.SnapshotName;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.SizeConverter;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin disk}: the disks of a volume, with its daemon running or not.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "disk",
        description =
                "Create, clone, import, export, list, show, check, flatten, resize, rename and remove"
                        + " disks, and show how to attach them and what goes by.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  quoin disk create vm1 10G", "  quoin disk ls --output json"})
@Subcommands({
    DiskCommand.Create.class,
    CloneCommands.Clone.class,
    DiskCommand.Ls.class,
    DiskCommand.Info.class,
    CloneCommands.Children.class,
    DiskDuCommand.class,
    DiskCheckCommand.class,
    DiskFlattenCommand.class,
    CopyCommands.Import.class,
    CopyCommands.Export.class,
    DiskResizeCommand.class,
    DiskCommand.Rename.class,
    DiskCommand.Rm.class,
    AttachCommands.Uri.class,
    AttachCommands.QemuArgs.class,
    AttachCommands.Xml.class,
    DiskTopCommand.class
})
final class DiskCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** What every command on one volume has. */
    abstract static class OnVolume implements Runnable {
        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private DataOption data;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private OutputOption output;

        @Override
        public final void run() {
            try (VolumeClient client = VolumeAccess.open(data, isMaking())) {
                run(client, output);
            }
        }

        /** A disk as it is called where all volumes meet. */
        final String export(String disk) {
            return data.export(disk);
        }

        /** Whether a volume is made where there is none: a mistyped folder is no new volume. */
        boolean isMaking() {
            return false;
        }

        abstract void run(VolumeClient client, OutputOption out);
    }

    /** {@code quoin disk create}. */
    @Command(
            name = "create",
            description = "Make a disk that reads as zeros.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Examples:",
                "  quoin disk create vm1 10G",
                "  quoin disk create vm2 1.5T -o cluster_size=1M",
                "  quoin disk create scratch 20G --format raw"
            })
    static final class Create extends OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the new disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(
                index = "1",
                paramLabel = "SIZE",
                description = "its size, as in 10G, 512M, 1.5T or plain bytes",
                converter = SizeConverter.class)
        private long sizeBytes;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "qcow2 or raw (default: ${DEFAULT-VALUE})",
                defaultValue = "qcow2")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String format;

        @Option(
                names = {"-o", "--option"},
                paramLabel = "NAME=VALUE",
                split = ",",
                description = "an option of the image, named as in qemu-img create; repeatable")
        private Map<String, String> options = new LinkedHashMap<>();

        @Override
        boolean isMaking() {
            return true;
        }

        @Override
        void run(VolumeClient client, OutputOption out) {
            Map<String, String> passed = new LinkedHashMap<>(options);
            passed.put("format", format);
            DiskView disk =
                    client.call(DiskCreate.TYPE, new DiskCreate.Request(name, sizeBytes, passed));
            out.print(disk, writer -> writer.println("Created " + oneLine(disk)));
        }
    }

    /** {@code quoin disk ls}. */
    @Command(
            name = "ls",
            description = "List the disks.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin disk ls"})
    static final class Ls extends OnVolume {
        @Override
        void run(VolumeClient client, OutputOption out) {
            List<DiskView> disks = client.call(DiskLs.TYPE, new DiskLs.Request()).disks();
            out.print(disks, writer -> printTable(disks, writer));
        }
    }

    /** {@code quoin disk info}. */
    @Command(
            name = "info",
            description = "Show one disk, its image and its snapshots.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin disk info vm1"})
    static final class Info extends OnVolume {
        @Parameters(paramLabel = "NAME", description = "name of the disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        void run(VolumeClient client, OutputOption out) {
            DiskView disk = client.call(DiskInfo.TYPE, new DiskInfo.Request(name));
            out.print(disk, writer -> printDisk(disk, writer));
        }
    }

    /** {@code quoin disk rename}. */
    @Command(
            name = "rename",
            description = "Give a disk another name.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Its snapshots go with it. Refused while a client is attached to it, while other disks",
                "stand on it, and while a group or a schedule names it. The next backup is a full one.",
                "",
                "Example:",
                "  quoin disk rename vm1 web-01"
            })
    static final class Rename extends OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(index = "1", paramLabel = "NEWNAME", description = "its name from then on")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String newName;

        @Override
        void run(VolumeClient client, OutputOption out) {
            DiskView disk = client.call(DiskRename.TYPE, new DiskRename.Request(name, newName));
            out.print(disk, writer -> writer.println("Renamed to " + oneLine(disk)));
        }
    }

    /** {@code quoin disk rm}. */
    @Command(
            name = "rm",
            description = "Remove a disk and everything on it, into the trash.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "It is kept for 7 days, or as long as the volfile says, takes its space until then,"
                        + " and can",
                "be restored: see quoin trash. Its snapshots go with it. Refused while a client is"
                        + " attached",
                "to it or to one of its snapshots, and while another disk, in the trash or not,"
                        + " stands on it",
                "or on one of its snapshots.",
                "",
                "Examples:",
                "  quoin disk rm vm1",
                "  quoin disk rm vm1 --now",
                "  quoin disk rm broken --force"
            })
    static final class Rm extends OnVolume {
        @Parameters(paramLabel = "NAME", description = "name of the disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Option(names = "--now", description = "remove it for good, past the trash")
        private boolean now;

        @Option(
                names = "--force",
                description =
                        "remove it also if its image cannot be read; then it is gone for good")
        private boolean force;

        @Override
        void run(VolumeClient client, OutputOption out) {
            DiskRm.Result removed =
                    client.call(
                            DiskRm.TYPE,
                            new DiskRm.Request(name, now ? true : null, force ? true : null));
            TrashView trashed = removed.trashed();
            out.print(
                    removed,
                    writer ->
                            writer.println(
                                    trashed == null
                                            ? "Removed " + name
                                            : "Removed "
                                                    + name
                                                    + ", in the trash until "
                                                    + trashed.expiresAt()
                                                    + " as "
                                                    + trashed.id()));
        }
    }

    static void printTable(List<DiskView> disks, PrintWriter writer) {
        Table table = new Table("NAME", ">SIZE", ">ALLOCATED", ">CONNECTIONS");
        for (DiskView disk : disks) {
            table.row(
                    disk.name(),
                    disk.problem() == null ? ByteSize.human(disk.sizeBytes()) : "unreadable",
                    ByteSize.human(disk.allocatedBytes()),
                    disk.connections());
        }
        table.print(writer);
        for (DiskView disk : disks) {
            if (disk.problem() != null) {
                writer.println(
                        printable(
                                disk.name()
                                        + " cannot be read: "
                                        + disk.problem()
                                        + "; quoin disk rm --force removes it"));
            }
        }
    }

    private static void printDisk(DiskView disk, PrintWriter writer) {
        writer.println("name: " + disk.name());
        writer.println("size: " + exact(disk.sizeBytes()));
        writer.println("allocated: " + exact(disk.allocatedBytes()));
        writer.println("connections: " + disk.connections());
        disk.details()
                .forEach(
                        (name, value) -> {
                            if (name.equals("snapshots") && value instanceof List<?> snapshots) {
                                if (!SnapshotName.isOne(disk.name())) {
                                    snapshots.forEach(each -> printSnapshot(disk, each, writer));
                                }
                            } else {
                                writer.println(name + ": " + plain(value));
                            }
                        });
    }

    /** By the names that {@code qemu-img info} uses. */
    private static void printSnapshot(DiskView disk, Object snapshot, PrintWriter writer) {
        if (snapshot instanceof Map<?, ?> fields && fields.get("date-sec") instanceof Number time) {
            writer.println(
                    "snapshot: "
                            + printable(disk.name() + '@' + fields.get("name"))
                            + ", "
                            + Instant.ofEpochSecond(time.longValue()));
        }
    }

    private static String plain(@Nullable Object value) {
        return value instanceof Map || value instanceof List
                ? OutputOption.jsonLine(value)
                : String.valueOf(value);
    }

    /** For a terminal: names of snapshots come from images. */
    static String printable(String name) {
        return NameText.printable(name);
    }

    static String exact(long bytes) {
        return ByteSize.human(bytes) + " (" + bytes + " bytes)";
    }

    static String oneLine(DiskView disk) {
        return disk.name() + ", " + ByteSize.human(disk.sizeBytes());
    }
}
