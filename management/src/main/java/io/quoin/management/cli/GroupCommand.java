package io.quoin.management.cli;

import io.quoin.management.operation.GroupAdd;
import io.quoin.management.operation.GroupCreate;
import io.quoin.management.operation.GroupLs;
import io.quoin.management.operation.GroupRm;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DiskSets.DiskSet;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin group}: sets of disks that are kept, for snapshots at one instant.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "group",
        description = "Create, list, change and remove groups of disks that have a name.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A group names disks that belong together, as all of one guest; the disks themselves do"
                    + " not change.",
            "",
            "Examples:",
            "  quoin group create db db-data db-log",
            "  quoin snapshot create --group db@monday"
        })
@Subcommands({
    GroupCommand.Create.class,
    GroupCommand.Add.class,
    GroupCommand.Rm.class,
    GroupCommand.Ls.class
})
final class GroupCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** What every command on one group has. */
    abstract static class OnGroup extends DiskCommand.OnVolume {
        @Parameters(index = "0", paramLabel = "NAME", description = "name of the group")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        final void run(VolumeClient client, OutputOption out) {
            DiskSet group = call(client, name);
            out.print(group, writer -> writer.println(group.name() + ": " + disks(group)));
        }

        abstract DiskSet call(VolumeClient client, String group);
    }

    private static String disks(DiskSet group) {
        return group.disks().isEmpty() ? "no disks" : String.join(" ", group.disks());
    }

    /** {@code quoin group create}. */
    @Command(
            name = "create",
            description = "Make a group.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin group create db db-data db-log"})
    static final class Create extends OnGroup {
        @Parameters(index = "1..*", paramLabel = "DISK", description = "its disks")
        private List<String> disks = List.of();

        @Override
        DiskSet call(VolumeClient client, String group) {
            return client.call(GroupCreate.TYPE, new GroupCreate.Request(group, disks));
        }
    }

    /** {@code quoin group add}. */
    @Command(
            name = "add",
            description = "Add disks to a group.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin group add db db-index"})
    static final class Add extends OnGroup {
        @Parameters(
                index = "1..*",
                arity = "1..*",
                paramLabel = "DISK",
                description = "disks to add")
        private List<String> disks = List.of();

        @Override
        DiskSet call(VolumeClient client, String group) {
            return client.call(GroupAdd.TYPE, new GroupAdd.Request(group, disks));
        }
    }

    /** {@code quoin group rm}. */
    @Command(
            name = "rm",
            description = "Take disks out of a group, or the group away. The disks stay.",
            mixinStandardHelpOptions = true,
            footer = {"", "Examples:", "  quoin group rm db db-index", "  quoin group rm db"})
    static final class Rm extends OnGroup {
        @Parameters(
                index = "1..*",
                paramLabel = "DISK",
                description = "disks to take out (default: the group goes)")
        private List<String> disks = List.of();

        @Override
        DiskSet call(VolumeClient client, String group) {
            return client.call(GroupRm.TYPE, new GroupRm.Request(group, disks));
        }
    }

    /** {@code quoin group ls}. */
    @Command(
            name = "ls",
            description = "List the groups.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin group ls"})
    static final class Ls extends DiskCommand.OnVolume {
        @Override
        void run(VolumeClient client, OutputOption out) {
            List<DiskSet> groups = client.call(GroupLs.TYPE, new GroupLs.Request()).groups();
            out.print(
                    groups,
                    writer -> {
                        Table table = new Table("NAME", "DISKS");
                        groups.forEach(group -> table.row(group.name(), disks(group)));
                        table.print(writer);
                    });
        }
    }
}
