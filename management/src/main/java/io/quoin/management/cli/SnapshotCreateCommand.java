package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskLs;
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
        description = "Make a snapshot of a disk, attached or not, while guests use it.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The snapshot has the disk as it is at one moment after the call; guests wait for that"
                    + " moment",
            "alone. What a guest has not written yet is not in it, as after a power failure. Without"
                    + " a name",
            "it is called by date and time (UTC), as in vm1@2026-12-31T235959Z.",
            "With --all-disks each disk has a moment of its own; those that can have no snapshot"
                    + " are left out:",
            "raw ones, and those that are read-only, as others stand on them.",
            "Where a service runs it is a job of it, and goes on if this command is ended.",
            "",
            "Examples:",
            "  quoin snapshot create vm1@monday",
            "  quoin snapshot create vm1",
            "  quoin snapshot create --all-disks monday"
        })
final class SnapshotCreateCommand implements Runnable {
    @Parameters(
            arity = "0..1",
            paramLabel = "DISK[@SNAPSHOT]",
            description = "the disk, and the name of its snapshot; with --all-disks the name alone")
    private @Nullable String name;

    @Option(names = "--all-disks", description = "one of each disk, all of the same name")
    private boolean allDisks;

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
        if (allDisks && detached) {
            throw wrong("--all-disks makes one after the other: --no-wait does not go with it");
        }
        if (!allDisks && name == null) {
            throw wrong("DISK or DISK@SNAPSHOT, or --all-disks, expected");
        }
        if (allDisks && name != null && SnapshotName.isOne(name)) {
            throw wrong("name of all snapshots: value=" + name + ", expected=no @ in it");
        }
        try (VolumeClient client = VolumeAccess.open(data, false)) {
            if (allDisks) {
                createAll(client, name == null ? SnapshotCreate.nameAt(Instant.now()) : name);
            } else {
                create(client, request(String.valueOf(name)));
            }
        }
    }

    private static ByJob.Started<SnapshotCreate.Request> request(String name) {
        if (!SnapshotName.isOne(name)) {
            return request(name, null);
        }
        SnapshotName which = SnapshotName.of(name);
        return request(which.disk(), which.snapshot());
    }

    private static ByJob.Started<SnapshotCreate.Request> request(
            String disk, @Nullable String snapshot) {
        return new ByJob.Started<>(SnapshotCreate.TYPE, new SnapshotCreate.Request(disk, snapshot));
    }

    private void create(VolumeClient client, ByJob.Started<?> wanted) {
        if (detached) {
            JobCommand.requireService(client);
            String id = wanted.by(client).id();
            output.print(Map.of("id", id), out -> out.println(id));
            return;
        }
        Map<String, Object> made = ByJob.follow(client, wanted, output, "creating");
        output.print(made, out -> print(made, out));
    }

    /** One that fails keeps the others from nothing, and is told at the end. */
    private void createAll(VolumeClient client, String snapshot) {
        List<Map<String, Object>> made = new ArrayList<>();
        List<BlockException> failures = new ArrayList<>();
        for (DiskView disk : client.call(DiskLs.TYPE, new DiskLs.Request()).disks()) {
            try {
                made.add(
                        ByJob.follow(
                                client,
                                request(disk.name(), snapshot),
                                output,
                                "creating " + disk.name() + '@' + snapshot));
            } catch (BlockException e) {
                if (e.error() == BlockError.ENOTSUP || e.error() == BlockError.EROFS) {
                    output.err().println("left out: " + e.getMessage());
                    output.err().flush();
                } else {
                    failures.add(e);
                }
            }
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
