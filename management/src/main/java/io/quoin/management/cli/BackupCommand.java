package io.quoin.management.cli;

import io.quoin.management.operation.BackupCreate;
import io.quoin.management.operation.BackupPrune;
import io.quoin.management.operation.BackupRestore;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin backup}: backups of a volume's disks in a folder.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "backup",
        description = "Back up disks into a folder; list, verify, restore and prune backups.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A backup is a qcow2 file and a manifest, in a folder of the disk's name. An incremental"
                    + " one",
            "stands on the one before, so that qemu-img restores any of them by itself:",
            "  qemu-img convert -O raw DIR/vm1/NAME.qcow2 vm1.img",
            "",
            "Examples:",
            "  quoin backup create vm1 vm2 --to /backup --incremental",
            "  quoin backup ls /backup",
            "  quoin backup verify /backup",
            "  quoin backup restore /backup 2026-12-31T235959Z --disk vm1 --as vm1-restored",
            "  quoin backup prune /backup --keep-daily 7 --keep-weekly 4 --dry-run",
            "  quoin backup export-diff vm1@mon vm1@tue - | ssh host quoin backup import-diff - vm1"
        })
@Subcommands({
    BackupCommand.Create.class,
    BackupFolderCommands.Ls.class,
    BackupFolderCommands.Verify.class,
    BackupCommand.Restore.class,
    BackupCommand.Prune.class,
    BackupFolderCommands.Protect.class,
    DiffStreamCommands.ExportDiff.class,
    DiffStreamCommands.ImportDiff.class
})
final class BackupCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin backup create}. */
    @Command(
            name = "create",
            description = "Back up disks, attached or not, while guests use them.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Several disks are backed up as they are at one moment, all of them or none; each is a"
                        + " backup by",
                "itself, and can be restored alone. One that cannot be copied afterwards keeps no other"
                        + " from its backup.",
                "A snapshot backup-CHAIN-N is made for it, and stays",
                "on the disk until the next backup into the same folder, which copies what has changed"
                        + " since, with",
                "--incremental. Where that is not known the whole disk is copied, and the reason is"
                        + " told.",
                "Where a service runs it is a job of it, which writes the files, and goes on if this"
                        + " command is ended.",
                "",
                "Examples:",
                "  quoin backup create vm1 --to /backup",
                "  quoin backup create vm1 vm2 --to /backup --incremental --compress",
                "  quoin backup create --group db --to /backup --incremental    (see quoin group)",
                "  quoin backup create vm1 --to /backup --name before-upgrade"
            })
    static final class Create extends ByJob {
        @Parameters(arity = "0..*", paramLabel = "DISK", description = "names of the disks")
        private List<String> disks = new ArrayList<>();

        @Option(
                names = "--group",
                paramLabel = "NAME",
                description = "the disks of a group that is kept, instead of names")
        private @Nullable String group;

        @Option(
                names = "--to",
                required = true,
                paramLabel = "DIR",
                description = "folder of the backups; made if it is missing")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private Path repository;

        @Option(
                names = "--name",
                paramLabel = "NAME",
                description =
                        "name of the backup (default: date and time, as in 2026-12-31T235959Z)")
        private @Nullable String name;

        @Option(
                names = "--incremental",
                description = "copy what has changed since the last backup, where that is known")
        private boolean incremental;

        @Option(names = "--compress", description = "store data compressed")
        private boolean compress;

        @Override
        Started<?> start() {
            return new Started<>(
                    BackupCreate.TYPE,
                    new BackupCreate.Request(
                            group != null && disks.isEmpty() ? null : disks,
                            RepositoryOption.text(repository),
                            name,
                            incremental,
                            compress,
                            group));
        }

        @Override
        String doing() {
            return "backing up";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            for (Map<?, ?> backup : rows(result)) {
                writer.println(
                        "Backed up "
                                + backup.get("disk")
                                + " as "
                                + backup.get("name")
                                + ", "
                                + backup.get("kind")
                                + ", "
                                + ByteSize.human(bytes(backup, "fileBytes")));
            }
        }
    }

    /** {@code quoin backup restore}. */
    @Command(
            name = "restore",
            description = "Make a disk of a backup: a new one, or in the place of one.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "The backup and all that it stands on are verified first. The disk is written under"
                        + " another name,",
                "restoring-..., and gets its name when it is whole. --over loses what the disk has;"
                        + " it is refused",
                "while the disk is attached, others stand on it, or it has snapshots.",
                "",
                "Examples:",
                "  quoin backup restore /backup before-upgrade --as vm1-old",
                "  quoin backup restore /backup 2026-12-31T235959Z --disk vm1 --over vm1"
            })
    static final class Restore extends ByJob {
        @Parameters(index = "0", paramLabel = "DIR", description = "folder of the backups")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private Path repository;

        @Parameters(index = "1", paramLabel = "NAME", description = "name of the backup")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Option(
                names = "--disk",
                paramLabel = "DISK",
                description = "whose backup it is, where several disks have one of that name")
        private @Nullable String disk;

        @ArgGroup(multiplicity = "1")
        private Place place = new Place();

        /** Where the backup is restored to. */
        static final class Place {
            @Option(names = "--as", paramLabel = "NEWDISK", description = "name of a new disk")
            private @Nullable String as;

            @Option(
                    names = "--over",
                    paramLabel = "DISK",
                    description = "disk that is replaced; nothing may have it attached")
            private @Nullable String over;
        }

        @Override
        Started<?> start() {
            return new Started<>(
                    BackupRestore.TYPE,
                    new BackupRestore.Request(
                            RepositoryOption.text(repository), name, disk, place.as, place.over));
        }

        @Override
        String doing() {
            return "restoring";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            writer.println(
                    "Restored "
                            + DiskCommand.printable(name)
                            + " as disk "
                            + result.get("name")
                            + ", "
                            + ByteSize.human(number(result, "sizeBytes")));
        }
    }

    /** {@code quoin backup prune}. */
    @Command(
            name = "prune",
            description = "Remove backups that no rule keeps, and what unfinished ones have left.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Rules are gone through in the order below, for each disk, from the newest backup on:"
                        + " the newest of a",
                "period (by UTC) is kept, until so many periods have one. What a kept backup stands on"
                        + " stays too, and",
                "so do protected and damaged ones. Without any rule no backup is removed.",
                "",
                "Examples:",
                "  quoin backup prune /backup --keep-last 3 --dry-run",
                "  quoin backup prune /backup --disk vm1 --keep-daily 7 --keep-weekly 4 --keep-monthly"
                        + " 12"
            })
    static final class Prune extends ByJob {
        @Parameters(paramLabel = "DIR", description = "folder of the backups")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private Path repository;

        @Option(
                names = "--disk",
                paramLabel = "DISK",
                description = "backups of that disk alone (default: of all)")
        private @Nullable String disk;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private KeepOptions keep;

        @Option(names = "--dry-run", description = "tell what would be removed, and remove nothing")
        private boolean dryRun;

        @Override
        Started<?> start() {
            return new Started<>(
                    BackupPrune.TYPE,
                    new BackupPrune.Request(
                            RepositoryOption.text(repository),
                            disk,
                            keep.last(),
                            keep.hourly(),
                            keep.daily(),
                            keep.weekly(),
                            keep.monthly(),
                            keep.yearly(),
                            dryRun));
        }

        @Override
        String doing() {
            return "pruning";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            Table table = new Table("DISK", "NAME", ">FILE", dryRun ? "WOULD BE" : "IS", "REASON");
            for (Map<?, ?> row : rows(result)) {
                boolean kept = Boolean.TRUE.equals(row.get("kept"));
                table.row(
                        String.valueOf(row.get("disk")),
                        String.valueOf(row.get("name")),
                        ByteSize.human(bytes(row, "bytes")),
                        kept ? "kept" : "removed",
                        String.valueOf(row.get("reason")));
            }
            table.print(writer);
        }
    }

    private static List<Map<?, ?>> rows(Map<String, Object> result) {
        List<Map<?, ?>> rows = new ArrayList<>();
        if (result.get("backups") instanceof List<?> list) {
            for (Object each : list) {
                if (each instanceof Map<?, ?> row) {
                    rows.add(row);
                }
            }
        }
        return rows;
    }

    private static long bytes(Map<?, ?> row, String field) {
        return row.get(field) instanceof Number number ? number.longValue() : 0;
    }
}
