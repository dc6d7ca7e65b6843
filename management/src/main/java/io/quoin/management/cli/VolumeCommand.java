package io.quoin.management.cli;

import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeCreate;
import io.quoin.management.operation.VolumeDelete;
import io.quoin.management.operation.VolumeInfo;
import io.quoin.management.operation.VolumeLs;
import io.quoin.management.operation.VolumeStart;
import io.quoin.management.operation.VolumeStop;
import io.quoin.management.operation.VolumeView;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin volume}: the volumes of a data folder, with its daemon running or not.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "volume",
        description = "Create, start, stop, list, show, heal, repair and delete volumes.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Disks of a volume are named VOLUME/DISK. The volume in the data folder itself is called"
                    + " default.",
            "",
            "Examples:",
            "  quoin volume create fast /srv/nvme0/fast",
            "  quoin volume start fast",
            "  quoin disk create fast/vm1 10G"
        })
@Subcommands({
    VolumeCommand.Create.class,
    VolumeCommand.Start.class,
    VolumeCommand.Stop.class,
    VolumeCommand.Delete.class,
    VolumeCommand.Info.class,
    VolumeStatusCommand.class,
    VolumeHealCommand.class,
    VolumeReplaceBrickCommand.class,
    VolumeScrubCommand.class,
    VolumeAssembleCommand.class,
    VolumeOptionCommands.Set.class,
    VolumeOptionCommands.Get.class,
    VolumeOptionCommands.Reset.class,
    VolumeCommand.Ls.class
})
final class VolumeCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin volume create}. */
    @Command(
            name = "create",
            description = "Make a volume of bricks; it is served once it is started.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "  quoin volume create NAME [replica N [arbiter 1]] [stripe N] BRICK... [force]",
                "",
                "A brick is a folder of this host, /absolute/path, or a brick daemon, HOST:PORT."
                        + " replica N keeps",
                "the same data on N bricks that follow one another; stripe N spreads files over N"
                        + " such sets.",
                "",
                "Examples:",
                "  quoin volume create fast /srv/nvme0/fast",
                "  quoin volume create wide stripe 2 /srv/disk0/wide /srv/disk1/wide",
                "  quoin volume create safe replica 3 /srv/disk0/safe /srv/disk1/safe"
                        + " /srv/disk2/safe",
                "  quoin volume create far replica 3 arbiter 1 /srv/disk0/far 10.0.0.2:24007"
                        + " 10.0.0.3:24007 \\",
                "      --tls-cert gateway.pem --tls-key gateway.key --tls-ca ca.pem"
            })
    static final class Create extends DiskCommand.OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the new volume")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "WORD",
                description = "[replica N [arbiter 1]] [stripe N] BRICK... [force]")
        private List<String> words = new ArrayList<>();

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private TlsOption tls;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        boolean isMaking() {
            return true;
        }

        @Override
        void run(VolumeClient client, OutputOption out) {
            List<String> left = new ArrayList<>(words);
            Long replica = number(left, "replica");
            Long arbiter = number(left, "arbiter");
            Long stripe = number(left, "stripe");
            boolean isForced = left.remove("force");
            WireOptions wire = tls.chosen(spec);
            TlsFiles files = wire.tls();
            VolumeCreate.Request request =
                    new VolumeCreate.Request(
                            name,
                            left,
                            replica,
                            arbiter,
                            stripe,
                            isForced ? true : null,
                            files == null ? null : absolute(files.certificate()),
                            files == null ? null : absolute(files.key()),
                            files == null ? null : absolute(files.ca()),
                            wire.isInsecure() ? true : null);
            VolumeView made = client.call(VolumeCreate.TYPE, request);
            out.print(
                    made,
                    writer ->
                            writer.println(
                                    "Created "
                                            + made.name()
                                            + "; start it with: quoin volume start "
                                            + made.name()));
        }

        private static String absolute(Path file) {
            return NameText.of(NameText.absolute(file));
        }

        /** Takes a word and the number behind it out. */
        private @Nullable Long number(List<String> left, String word) {
            int at = left.indexOf(word);
            if (at < 0) {
                return null;
            }
            left.remove(at);
            if (at == left.size() || !left.get(at).matches("\\d{1,9}")) {
                throw new ParameterException(
                        spec.commandLine(), word + ": expected=a number behind it");
            }
            return Long.valueOf(left.remove(at));
        }
    }

    /** What every command on one volume has. */
    abstract static class OnOne extends DiskCommand.OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the volume")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        final String name() {
            return name;
        }

        final <Q extends Record> void say(
                VolumeClient client,
                OperationType<Q, VolumeView> type,
                Q request,
                OutputOption out,
                String done) {
            VolumeView view = client.call(type, request);
            out.print(view, writer -> writer.println(done.replace("{}", view.name())));
        }
    }

    /** {@code quoin volume start}. */
    @Command(
            name = "start",
            description = "Serve the disks of a volume, now and after a restart.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin volume start fast"})
    static final class Start extends OnOne {
        @Override
        void run(VolumeClient client, OutputOption out) {
            say(client, VolumeStart.TYPE, new VolumeStart.Request(name()), out, "Started {}");
        }
    }

    /** {@code quoin volume stop}. */
    @Command(
            name = "stop",
            description = "Serve the disks of a volume no longer.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Refused while clients have disks of it attached, or jobs work on them.",
                "",
                "Example:",
                "  quoin volume stop fast"
            })
    static final class Stop extends OnOne {
        @Option(
                names = "--force",
                description = "take disks away from their clients, and interrupt jobs")
        private boolean force;

        @Override
        void run(VolumeClient client, OutputOption out) {
            VolumeStop.Request request = new VolumeStop.Request(name(), force ? true : null);
            say(client, VolumeStop.TYPE, request, out, "Stopped {}");
        }
    }

    /** {@code quoin volume delete}. */
    @Command(
            name = "delete",
            description = "Take a volume away that is not started; its bricks keep what they have.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin volume delete fast"})
    static final class Delete extends OnOne {
        @Override
        void run(VolumeClient client, OutputOption out) {
            say(
                    client,
                    VolumeDelete.TYPE,
                    new VolumeDelete.Request(name()),
                    out,
                    "Deleted {}; its bricks keep what they have");
        }
    }

    /** {@code quoin volume info}. */
    @Command(
            name = "info",
            description = "Show one volume and its bricks.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin volume info fast"})
    static final class Info extends OnOne {
        @Override
        void run(VolumeClient client, OutputOption out) {
            VolumeView view = client.call(VolumeInfo.TYPE, new VolumeInfo.Request(name()));
            out.print(view, writer -> print(view, writer));
        }

        /** As GlusterFS does. */
        private static void print(VolumeView volume, PrintWriter writer) {
            writer.println("Volume Name: " + volume.name());
            writer.println("Type: " + volume.type());
            if (volume.id() != null) {
                writer.println("Volume ID: " + volume.id());
            }
            writer.println("Status: " + volume.status());
            if (volume.failure() != null) {
                writer.println("Failure: " + volume.failure());
            }
            if (volume.brickCount() != null) {
                writer.println("Number of Bricks: " + volume.brickCount());
            }
            int number = 0;
            for (VolumeView.Brick brick : volume.bricks()) {
                number++;
                String arbiter = brick.isArbiter() ? " (arbiter)" : "";
                writer.println("Brick" + number + ": " + brick.address() + arbiter);
            }
            if (!volume.options().isEmpty()) {
                writer.println("Options Reconfigured:");
                volume.options().forEach((name, value) -> writer.println(name + ": " + value));
            }
        }
    }

    /** {@code quoin volume ls}. */
    @Command(
            name = "ls",
            description = "List the volumes.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin volume ls"})
    static final class Ls extends DiskCommand.OnVolume {
        @Override
        void run(VolumeClient client, OutputOption out) {
            List<VolumeView> all = client.call(VolumeLs.TYPE, new VolumeLs.Request()).volumes();
            out.print(all, writer -> printTable(all, writer));
        }
    }

    static void printTable(List<VolumeView> volumes, PrintWriter writer) {
        Table table = new Table("VOLUME", "TYPE", "STATUS", ">BRICKS", "FAILURE");
        for (VolumeView volume : volumes) {
            table.row(
                    volume.name(),
                    volume.type(),
                    volume.status(),
                    volume.bricks().size(),
                    volume.failure() == null ? "-" : volume.failure());
        }
        table.print(writer);
    }
}
