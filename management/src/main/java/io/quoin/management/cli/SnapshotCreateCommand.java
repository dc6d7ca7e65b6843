package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskLs;
import io.quoin.management.operation.SnapgroupCreate;
import io.quoin.management.operation.SnapshotCreate;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DiskView;
import io.quoin.snapshot.SnapshotName;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.ProgressOutput;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
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
 * {@code quoin snapshot create}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "create",
        description =
                "Make a snapshot of a disk, or of several at one instant, attached or not, while"
                        + " guests use them.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The snapshot has the disk as it is at one moment after the call; guests wait for that"
                    + " moment",
            "alone. What a guest has not written yet is not in it, as after a power failure, unless"
                    + " its file",
            "systems are frozen: if one could not be, the snapshot is made all the same and says so."
                    + " Without",
            "a name it is called by date and time (UTC), as in vm1@2026-12-31T235959Z.",
            "With --group there is one moment for all of its disks, and all of the snapshots or"
                    + " none: none if",
            "a disk does not come to rest in time.",
            "--all-disks has one moment for those that clients have attached; the others, which"
                    + " nothing writes",
            "to, follow one by one. Those that can have no snapshot are left out: raw ones, and"
                    + " those that",
            "are read-only, as others stand on them.",
            "Where a service runs it is a job of it, and goes on if this command is ended. The"
                    + " service runs the",
            "commands and reaches the sockets.",
            "",
            "Examples:",
            "  quoin snapshot create vm1@monday",
            "  quoin snapshot create --group monday db-data db-log",
            "  quoin snapshot create --group db@monday        (see quoin group)",
            "  quoin snapshot create --freeze /run/vm1-agent.sock vm1@monday"
        })
final class SnapshotCreateCommand implements Runnable {
    @Parameters(
            arity = "0..*",
            paramLabel = "DISK[@SNAPSHOT]",
            description =
                    "the disk, and the name of its snapshot; with --all-disks the name alone, with"
                            + " --group the disks")
    private List<String> names = List.of();

    @Option(names = "--all-disks", description = "one of each disk, all of the same name")
    private boolean allDisks;

    @Option(
            names = "--group",
            paramLabel = "NAME",
            description =
                    "one of each of the disks that follow, at one instant, DISK@NAME; without"
                            + " disks: of those in the kept group NAME, or NAME@SNAPSHOT")
    private @Nullable String group;

    @Option(
            names = "--deadline",
            paramLabel = "MILLISECONDS",
            defaultValue = "1000",
            description =
                    "how long a disk of a group stands still at most, up to 10000 (default:"
                            + " ${DEFAULT-VALUE})")
    private long deadlineMillis;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private FreezeArguments freeze;

    @Option(
            names = "--no-wait",
            description = "print the id of the job and leave it to the service: see quoin job")
    private boolean detached;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        checkArguments();
        try (VolumeClient client = VolumeAccess.open(data, false)) {
            if (allDisks) {
                createAll(
                        client,
                        names.isEmpty() ? SnapshotCreate.nameAt(Instant.now()) : names.get(0));
            } else if (group != null) {
                createGroup(client, ofGroup(group));
            } else if (freeze.isAny()) {
                createGroup(client, ofOne(names.get(0)));
            } else {
                create(client, request(names.get(0)));
            }
        }
    }

    private void checkArguments() {
        if (allDisks && detached) {
            throw wrong("--all-disks makes several, in turn: --no-wait does not go with it");
        }
        if (allDisks && group != null) {
            throw wrong("--all-disks and --group do not go together");
        }
        if (!allDisks && group == null && names.size() != 1) {
            throw wrong(
                    names.isEmpty()
                            ? "DISK or DISK@SNAPSHOT, or --all-disks, expected"
                            : "several disks: --group NAME expected");
        }
        if (allDisks && names.size() > 1) {
            throw wrong("--all-disks: the name of all snapshots alone expected");
        }
        if (allDisks && !names.isEmpty() && SnapshotName.isOne(names.get(0))) {
            throw wrong("name of all snapshots: value=" + names.get(0) + ", expected=no @ in it");
        }
    }

    private static ByJob.Started<SnapshotCreate.Request> request(String name) {
        if (!SnapshotName.isOne(name)) {
            return request(name, null);
        }
        NamedSnapshot which = NamedSnapshot.of(name);
        return request(which.disk(), which.snapshot());
    }

    private static ByJob.Started<SnapshotCreate.Request> request(
            String disk, @Nullable String snapshot) {
        return new ByJob.Started<>(SnapshotCreate.TYPE, new SnapshotCreate.Request(disk, snapshot));
    }

    /** Of the disks that are named, or of a kept group. */
    private SnapgroupCreate.Request ofGroup(String name) {
        if (names.isEmpty()) {
            int at = name.indexOf('@');
            return at < 0
                    ? several(null, null, name, null, null)
                    : several(name.substring(at + 1), null, name.substring(0, at), null, null);
        }
        if (SnapshotName.isOne(name) || names.stream().anyMatch(SnapshotName::isOne)) {
            throw wrong("--group NAME DISK...: each is called DISK@NAME, expected=no @");
        }
        return several(name, names, null, null, null);
    }

    private SnapgroupCreate.Request ofOne(String name) {
        int at = name.indexOf('@');
        String disk = at < 0 ? name : name.substring(0, at);
        String snapshot = at < 0 ? null : name.substring(at + 1);
        return several(snapshot, List.of(disk), null, null, true);
    }

    private SnapgroupCreate.Request several(
            @Nullable String snapshot,
            @Nullable List<String> disks,
            @Nullable String kept,
            @Nullable Boolean leaveOut,
            @Nullable Boolean ungrouped) {
        return new SnapgroupCreate.Request(
                snapshot,
                disks,
                kept,
                leaveOut,
                ungrouped,
                deadlineMillis,
                freeze.agents(),
                freeze.freezeCommands(),
                freeze.thawCommands(),
                freeze.timeoutMillis());
    }

    private void create(VolumeClient client, ByJob.Started<?> wanted) {
        if (detached) {
            leave(client, wanted);
            return;
        }
        Map<String, Object> made = ByJob.follow(client, wanted, output, "creating");
        output.print(made, out -> print(made, out));
    }

    private void leave(VolumeClient client, ByJob.Started<?> wanted) {
        JobCommand.requireService(client);
        String id = wanted.by(client).id();
        output.print(Map.of("id", id), out -> out.println(id));
    }

    private void createGroup(VolumeClient client, SnapgroupCreate.Request request) {
        ByJob.Started<?> wanted = new ByJob.Started<>(SnapgroupCreate.TYPE, request);
        if (detached) {
            leave(client, wanted);
            return;
        }
        Map<String, Object> made = ByJob.follow(client, wanted, output, "creating");
        output.print(made, out -> printGroup(made, out));
    }

    private void printGroup(Map<String, Object> made, PrintWriter out) {
        snapshotsOf(made).forEach(each -> print(each, out));
        sayWhetherFrozen(made, out);
    }

    private void sayWhetherFrozen(Map<String, Object> made, PrintWriter out) {
        if (freeze.isAny()) {
            out.println(
                    Boolean.TRUE.equals(made.get("frozen"))
                            ? "All file systems of the guests stood still"
                            : "Crash-consistent only: not all file systems of the guests stood"
                                    + " still");
        }
    }

    @SuppressWarnings("unchecked") // a result of the service, as SnapgroupCreate.Result has it
    private static List<Map<String, Object>> snapshotsOf(Map<String, Object> made) {
        Object snapshots = made.get("snapshots");
        return snapshots == null ? List.of() : (List<Map<String, Object>>) snapshots;
    }

    /**
     * Those that are attached at one instant; then the others, of which one that fails keeps no
     * other from its snapshot.
     */
    private void createAll(VolumeClient client, String snapshot) {
        List<String> attached = new ArrayList<>();
        List<String> closed = new ArrayList<>();
        for (DiskView disk : client.call(DiskLs.TYPE, new DiskLs.Request()).disks()) {
            (disk.connections() > 0 ? attached : closed).add(disk.name());
        }
        List<Map<String, Object>> made = new ArrayList<>();
        List<BlockException> failures = new ArrayList<>();
        if (!attached.isEmpty()) {
            SnapgroupCreate.Request request =
                    several(snapshot, attached, null, true, attached.size() == 1);
            try {
                Map<String, Object> together =
                        ByJob.follow(
                                client,
                                new ByJob.Started<>(SnapgroupCreate.TYPE, request),
                                output,
                                "creating @" + snapshot);
                made.addAll(snapshotsOf(together));
                sayWhetherFrozen(together, output.err());
            } catch (BlockException e) {
                failures.add(e);
            }
        }
        for (String disk : closed) {
            createOne(client, disk, snapshot, made, failures);
        }
        output.print(made, out -> made.forEach(each -> print(each, out)));
        if (!failures.isEmpty()) {
            BlockException first = failures.get(0);
            throw new BlockException(
                    first.error(),
                    first.getMessage() + "; made=" + made.size() + ", failed=" + failures.size(),
                    first);
        }
    }

    private void createOne(
            VolumeClient client,
            String disk,
            String snapshot,
            List<Map<String, Object>> made,
            List<BlockException> failures) {
        try {
            made.add(
                    ByJob.follow(
                            client,
                            request(disk, snapshot),
                            output,
                            "creating " + disk + '@' + snapshot));
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOTSUP || e.error() == BlockError.EROFS) {
                output.err().println("left out: " + e.getMessage());
                output.err().flush();
            } else {
                failures.add(e);
            }
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private static void print(Map<String, Object> made, PrintWriter writer) {
        writer.println(
                "Created "
                        + DiskCommand.printable(made.get("disk") + "@" + made.get("name"))
                        + ", "
                        + ByteSize.human(ByJob.number(made, "sizeBytes")));
    }
}
