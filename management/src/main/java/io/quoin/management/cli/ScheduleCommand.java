package io.quoin.management.cli;

import io.quoin.management.operation.ScheduleCreate;
import io.quoin.management.operation.ScheduleLs;
import io.quoin.management.operation.SchedulePause;
import io.quoin.management.operation.ScheduleResume;
import io.quoin.management.operation.ScheduleRm;
import io.quoin.management.operation.ScheduleRun;
import io.quoin.management.operation.ScheduleShow;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.schedule.ScheduleSpec;
import io.quoin.management.schedule.ScheduleView;
import io.quoin.management.schedule.ScheduledRun;
import io.quoin.tools.terminal.OutputOption;
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
 * {@code quoin schedule}: snapshots and backups by a calendar.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "schedule",
        description = "Have the service make snapshots and backups by a calendar.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Schedules are kept in the data folder; the service that runs on it carries them out,"
                    + " each run as a job.",
            "",
            "Examples:",
            "  quoin schedule create hourly --cron \"0 * * * *\" --snapshot vm1 --keep-hourly 24",
            "  quoin schedule show hourly",
            "  quoin schedule run hourly"
        })
@Subcommands({
    ScheduleCommand.Create.class,
    ScheduleCommand.Ls.class,
    ScheduleCommand.Show.class,
    ScheduleCommand.Rm.class,
    ScheduleCommand.Pause.class,
    ScheduleCommand.Resume.class,
    ScheduleCommand.Run.class
})
final class ScheduleCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin schedule create}. */
    @Command(
            name = "create",
            description = "Make a schedule of snapshots or of backups.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "The expression has minute, hour, day of the month, month, and day of the week (0 or 7"
                        + " is Sunday).",
                "Several disks have one moment. What a run makes is called NAME-DATE-TIME. After each"
                        + " run what no",
                "--keep rule keeps goes, of what the schedule has made and is still called so; without"
                        + " a rule",
                "all stays.",
                "A run that was missed, as no service ran, is told and made up once. One that is due"
                        + " while the one",
                "before goes on is skipped and told: see quoin schedule show.",
                "",
                "Examples:",
                "  quoin schedule create hourly --cron \"0 * * * *\" --snapshot vm1 --keep-hourly 24",
                "  quoin schedule create night --cron \"0 3 * * *\" --zone Europe/Berlin --backup --to"
                        + " /backup \\",
                "      --incremental --full-every 30 --group db --keep-daily 14 --keep-weekly 8"
            })
    static final class Create extends DiskCommand.OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the schedule")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(
                index = "1..*",
                arity = "0..*",
                paramLabel = "DISK",
                description = "names of the disks")
        private List<String> disks = new ArrayList<>();

        @Option(
                names = "--group",
                paramLabel = "NAME",
                description = "the disks that a kept group has when a run begins, instead of names")
        private @Nullable String group;

        @Option(
                names = "--cron",
                required = true,
                paramLabel = "EXPRESSION",
                description = "when, as in \"0 3 * * *\"")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String cron;

        @Option(
                names = "--zone",
                paramLabel = "ZONE",
                description = "whose clocks, as in Europe/Berlin (default: UTC)")
        private @Nullable String zone;

        @ArgGroup(multiplicity = "1")
        private What what = new What();

        /** What is made. */
        static final class What {
            @Option(names = "--snapshot", required = true, description = "make snapshots")
            private boolean snapshot;

            @Option(names = "--backup", required = true, description = "make backups")
            private boolean backup;
        }

        @Option(names = "--to", paramLabel = "DIR", description = "folder of the backups")
        private @Nullable Path repository;

        @Option(
                names = "--incremental",
                description = "copy what has changed since the last backup, where that is known")
        private boolean incremental;

        @Option(names = "--compress", description = "store data of backups compressed")
        private boolean compress;

        @Option(
                names = "--full-every",
                paramLabel = "N",
                description =
                        "with --incremental, make each Nth backup of a disk a full one (default: 128)")
        private @Nullable Long fullEvery;

        @Option(names = "--no-catch-up", description = "do not make up for runs that were missed")
        private boolean noCatchUp;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private KeepOptions keep;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        void run(VolumeClient client, OutputOption out) {
            if (what.backup && repository == null) {
                throw new ParameterException(spec.commandLine(), "--backup: --to DIR expected");
            }
            if (what.snapshot && repository != null) {
                throw new ParameterException(spec.commandLine(), "--to DIR goes with --backup");
            }
            ScheduleView made =
                    client.call(
                            ScheduleCreate.TYPE,
                            new ScheduleCreate.Request(
                                    name,
                                    cron,
                                    zone,
                                    group != null && disks.isEmpty() ? null : disks,
                                    group,
                                    repository == null ? null : RepositoryOption.text(repository),
                                    incremental,
                                    compress,
                                    fullEvery,
                                    keep.last(),
                                    keep.hourly(),
                                    keep.daily(),
                                    keep.weekly(),
                                    keep.monthly(),
                                    keep.yearly(),
                                    !noCatchUp));
            out.print(made, writer -> writer.println("Created " + name + ", next: " + made.next()));
        }
    }

    /** {@code quoin schedule ls}. */
    @Command(
            name = "ls",
            description = "List the schedules.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin schedule ls"})
    static final class Ls extends DiskCommand.OnVolume {
        @Override
        void run(VolumeClient client, OutputOption out) {
            List<ScheduleView> all =
                    client.call(ScheduleLs.TYPE, new ScheduleLs.Request()).schedules();
            out.print(all, writer -> print(all, writer));
        }

        private static void print(List<ScheduleView> all, PrintWriter writer) {
            Table table = new Table("NAME", "CRON", "ZONE", "MAKES", "OF", "NEXT", "LAST", "STATE");
            for (ScheduleView each : all) {
                ScheduledRun last = each.runs().isEmpty() ? null : each.runs().get(0);
                table.row(
                        each.spec().name(),
                        each.spec().cron(),
                        each.spec().zone(),
                        each.spec().repository() == null ? "snapshots" : "backups",
                        disks(each.spec()),
                        next(each),
                        last == null ? "-" : last.due(),
                        last == null ? "-" : last.state().text());
            }
            table.print(writer);
        }
    }

    private static String disks(ScheduleSpec spec) {
        return spec.disks() == null ? "group " + spec.group() : String.join(",", spec.disks());
    }

    private static String next(ScheduleView view) {
        if (view.paused()) {
            return "paused";
        }
        return view.next() == null ? "-" : view.next();
    }

    /** What every command on one schedule has. */
    abstract static class OnSchedule extends DiskCommand.OnVolume {
        @Parameters(paramLabel = "NAME", description = "name of the schedule")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        final void run(VolumeClient client, OutputOption out) {
            ScheduleView view = call(client, name);
            out.print(view, writer -> print(view, writer));
        }

        abstract ScheduleView call(VolumeClient client, String schedule);

        abstract void print(ScheduleView view, PrintWriter writer);
    }

    /** {@code quoin schedule show}. */
    @Command(
            name = "show",
            description = "Show one schedule: when it runs next, and what became of its runs.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin schedule show night"})
    static final class Show extends OnSchedule {
        @Override
        ScheduleView call(VolumeClient client, String schedule) {
            return client.call(ScheduleShow.TYPE, new ScheduleShow.Request(schedule));
        }

        @Override
        void print(ScheduleView view, PrintWriter writer) {
            ScheduleSpec spec = view.spec();
            writer.println("name: " + spec.name());
            writer.println("cron: " + spec.cron());
            writer.println("zone: " + spec.zone());
            writer.println("disks: " + disks(spec));
            if (spec.repository() == null) {
                writer.println("makes: snapshots");
            } else {
                writer.println("makes: backups");
                writer.println("folder: " + DiskCommand.printable(spec.repository()));
                writer.println("incremental: " + spec.incremental());
                writer.println("compress: " + spec.compress());
                writer.println("full every: " + spec.fullEvery());
            }
            writer.println("keeps: " + kept(spec));
            writer.println("makes up for missed runs: " + spec.catchUp());
            writer.println("created: " + view.createdAt());
            writer.println("next: " + next(view));
            Table table = new Table("DUE", "STATE", "MADE", "JOB", "ENDED", "TEXT");
            for (ScheduledRun run : view.runs()) {
                table.row(
                        run.due(),
                        run.state().text(),
                        orDash(run.makes()),
                        orDash(run.job()),
                        orDash(run.endedAt()),
                        DiskCommand.printable(orDash(run.text())));
            }
            table.print(writer);
        }

        private static String orDash(@Nullable String text) {
            return text == null ? "-" : text;
        }

        private static String kept(ScheduleSpec spec) {
            if (spec.retention().keepsAll()) {
                return "all";
            }
            return "last="
                    + spec.retention().last()
                    + ", hourly="
                    + spec.retention().hourly()
                    + ", daily="
                    + spec.retention().daily()
                    + ", weekly="
                    + spec.retention().weekly()
                    + ", monthly="
                    + spec.retention().monthly()
                    + ", yearly="
                    + spec.retention().yearly();
        }
    }

    /** {@code quoin schedule rm}. */
    @Command(
            name = "rm",
            description = "Remove a schedule. What it has made stays.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Refused while a run goes on.",
                "",
                "Example:",
                "  quoin schedule rm night"
            })
    static final class Rm extends OnSchedule {
        @Override
        ScheduleView call(VolumeClient client, String schedule) {
            return client.call(ScheduleRm.TYPE, new ScheduleRm.Request(schedule));
        }

        @Override
        void print(ScheduleView view, PrintWriter writer) {
            writer.println("Removed " + view.spec().name() + "; what it has made stays");
        }
    }

    /** {@code quoin schedule pause}. */
    @Command(
            name = "pause",
            description = "Have no run begin by itself.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "A run that goes on is left alone.",
                "",
                "Example:",
                "  quoin schedule pause night"
            })
    static final class Pause extends OnSchedule {
        @Override
        ScheduleView call(VolumeClient client, String schedule) {
            return client.call(SchedulePause.TYPE, new SchedulePause.Request(schedule));
        }

        @Override
        void print(ScheduleView view, PrintWriter writer) {
            writer.println("Paused " + view.spec().name());
        }
    }

    /** {@code quoin schedule resume}. */
    @Command(
            name = "resume",
            description = "Let runs begin again. Those that were due meanwhile are left out.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin schedule resume night"})
    static final class Resume extends OnSchedule {
        @Override
        ScheduleView call(VolumeClient client, String schedule) {
            return client.call(ScheduleResume.TYPE, new ScheduleResume.Request(schedule));
        }

        @Override
        void print(ScheduleView view, PrintWriter writer) {
            writer.println("Resumed " + view.spec().name() + ", next: " + next(view));
        }
    }

    /** {@code quoin schedule run}. */
    @Command(
            name = "run",
            description = "Do now what a schedule does, also while it is paused.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Where a service runs it is a job of it, and goes on if this command is ended.",
                "",
                "Example:",
                "  quoin schedule run night"
            })
    static final class Run extends ByJob {
        @Parameters(paramLabel = "NAME", description = "name of the schedule")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        Started<?> start() {
            return new Started<>(ScheduleRun.TYPE, new ScheduleRun.Request(name));
        }

        @Override
        String doing() {
            return "running " + name;
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            if (result.get("snapshots") instanceof List<?> made) {
                made.forEach(each -> writer.println("Created " + each));
            }
            if (result.get("backups") instanceof List<?> made) {
                for (Object each : made) {
                    if (each instanceof Map<?, ?> backup) {
                        writer.println(
                                "Backed up " + backup.get("disk") + " as " + backup.get("name"));
                    }
                }
            }
            if (result.get("removed") instanceof List<?> removed) {
                removed.forEach(each -> writer.println("Removed " + each));
            }
        }
    }
}
