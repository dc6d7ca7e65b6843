package io.quoin.management.cli;

import io.quoin.backup.Backup;
import io.quoin.backup.BackupEvents;
import io.quoin.backup.Repository;
import io.quoin.backup.Verification;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.operation.BackupView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.CheckFindings;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The commands of {@code quoin backup} that need no volume: they work on the folder of the backups,
 * also on a machine that has nothing else of Quoin.
 *
 * <p>Threading: confined to the main thread.
 */
final class BackupFolderCommands {
    private BackupFolderCommands() {}

    /** {@code quoin backup ls}. */
    @Command(
            name = "ls",
            description = "List the backups in a folder.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Unfinished backups are not listed. A damaged one is, as far as a look at its manifest"
                        + " and its size tells;",
                "quoin backup verify reads everything. WITH has the disks that were backed up at the same"
                        + " moment;",
                "those in brackets have no such backup in the folder any more.",
                "",
                "Examples:",
                "  quoin backup ls /backup",
                "  quoin backup ls /backup --disk vm1 --output json"
            })
    static final class Ls implements Runnable {
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
        private OutputOption output;

        @Override
        public void run() {
            List<BackupView> all =
                    new Repository(RepositoryOption.absolute(repository))
                            .list().stream().map(BackupView::of).toList();
            List<BackupView> backups =
                    all.stream()
                            .filter(backup -> disk == null || backup.disk().equals(disk))
                            .toList();
            output.print(backups, writer -> print(backups, all, writer));
        }

        private static void print(
                List<BackupView> backups, List<BackupView> all, PrintWriter writer) {
            Table table =
                    new Table(
                            "DISK", "NAME", "KIND", "CREATED", ">SIZE", ">FILE", "PARENT", "WITH",
                            "STATE");
            for (BackupView backup : backups) {
                boolean isRead = backup.kind() != null;
                table.row(
                        backup.disk(),
                        backup.name(),
                        orDash(backup.kind()),
                        orDash(backup.createdAt()),
                        isRead ? ByteSize.human(backup.sizeBytes()) : "-",
                        isRead ? ByteSize.human(backup.fileBytes()) : "-",
                        orDash(backup.parent()),
                        with(backup, all),
                        state(backup));
            }
            table.print(writer);
        }

        /** The other disks of the same moment; in brackets those whose backups are not there. */
        private static String with(BackupView backup, List<BackupView> all) {
            List<String> disks = backup.groupDisks();
            String group = backup.group();
            if (disks == null || group == null) {
                return "-";
            }
            List<String> there =
                    all.stream()
                            .filter(each -> group.equals(each.group()))
                            .map(BackupView::disk)
                            .toList();
            return disks.stream()
                    .filter(disk -> !disk.equals(backup.disk()))
                    .map(disk -> there.contains(disk) ? disk : '(' + disk + ')')
                    .collect(Collectors.joining(","));
        }

        private static String orDash(@Nullable String text) {
            return text == null ? "-" : text;
        }

        private static String state(BackupView backup) {
            if (backup.damage() != null) {
                return "damaged: " + backup.damage();
            }
            return backup.isProtected() ? "protected" : "whole";
        }
    }

    /** {@code quoin backup verify}. */
    @Command(
            name = "verify",
            description = "Read backups whole, and find each byte that is not as it was written.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Exit code 1, and a line for each fault, if there is one.",
                "",
                "Examples:",
                "  quoin backup verify /backup",
                "  quoin backup verify /backup 2026-12-31T235959Z --disk vm1"
            })
    static final class Verify implements Runnable {
        @Parameters(index = "0", paramLabel = "DIR", description = "folder of the backups")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private Path repository;

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "NAME",
                description = "name of a backup (default: all)")
        private @Nullable String name;

        @Option(
                names = "--disk",
                paramLabel = "DISK",
                description = "backups of that disk alone (default: of all)")
        private @Nullable String disk;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private ProgressOutput output;

        @Override
        public void run() {
            Verification.Result result;
            try (CheckFindings lines =
                    new CheckFindings(output.err(), output.progress("verifying"))) {
                result =
                        new Repository(RepositoryOption.absolute(repository))
                                .verify(disk, name, shownOn(lines));
            }
            int faults = result.faults().size();
            output.print(
                    result,
                    writer ->
                            writer.println(
                                    "Verified "
                                            + result.backups()
                                            + " backups, "
                                            + ByteSize.human(result.bytes())
                                            + ": "
                                            + (faults == 0 ? "no faults" : faults + " faults")));
            if (faults > 0) {
                throw new BlockException(
                        BlockError.EIO,
                        "backups are damaged: repository="
                                + RepositoryOption.text(repository)
                                + ", faults="
                                + faults);
            }
        }

        private static BackupEvents shownOn(CheckFindings lines) {
            return new BackupEvents() {
                @Override
                public void progress(long doneBytes, long totalBytes) {
                    lines.progress(doneBytes, totalBytes);
                }

                @Override
                public void message(String text) {
                    lines.finding(text);
                }
            };
        }
    }

    /** {@code quoin backup protect}. */
    @Command(
            name = "protect",
            description = "Have a backup stay, whatever is pruned; with --off, not any more.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "What it stands on stays with it.",
                "",
                "Examples:",
                "  quoin backup protect /backup before-upgrade --disk vm1",
                "  quoin backup protect /backup before-upgrade --disk vm1 --off"
            })
    static final class Protect implements Runnable {
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

        @Option(names = "--off", description = "it may be pruned again")
        private boolean off;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private OutputOption output;

        @Override
        public void run() {
            Repository folder = new Repository(RepositoryOption.absolute(repository));
            Backup found = folder.find(disk, name);
            folder.protect(found, !off);
            BackupView now = BackupView.of(folder.find(found.disk(), found.name()));
            output.print(
                    now,
                    writer ->
                            writer.println(
                                    (off ? "No longer protected: " : "Protected: ")
                                            + now.disk()
                                            + ", "
                                            + now.name()));
        }
    }
}
