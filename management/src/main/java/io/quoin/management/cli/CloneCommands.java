package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.management.operation.DiskChildren;
import io.quoin.management.operation.DiskClone;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DiskView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.tools.terminal.SizeConverter;
import java.io.PrintWriter;
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
 * Disks that stand on a template: {@code quoin disk clone} and {@code quoin disk children}.
 *
 * <p>Threading: confined to the main thread.
 */
final class CloneCommands {
    /** Clones of one request: there is progress between two. */
    private static final int BATCH = 50;

    private CloneCommands() {}

    /** {@code quoin disk clone}. */
    @Command(
            name = "clone",
            description = "Make disks that stand on another and read as it does, at once.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "TEMPLATE is read-only from then on, and can be neither removed nor resized, until"
                        + " no disk",
                "stands on it: see quoin disk children. It must not be attached for writing. A"
                        + " clone takes",
                "up space for what is written to it alone. If one of many fails, the others made"
                        + " stay.",
                "",
                "TEMPLATE may be a snapshot, DISK@SNAPSHOT: the disk goes on being written, and only"
                        + " the",
                "snapshot is kept. QEMU and qemu-img cannot open such a clone, as they know no"
                        + " snapshots as",
                "backing files; over NBD, and as a copy, they read it as any disk.",
                "",
                "Examples:",
                "  quoin disk clone debian vm1",
                "  quoin disk clone debian vm1 --size 40G",
                "  quoin disk clone vm1@monday vm2",
                "  quoin disk clone debian --count 100 --name-pattern vm-%%04d"
            })
    static final class Clone implements Runnable {
        @Parameters(
                index = "0",
                paramLabel = "TEMPLATE",
                description = "the disk, or snapshot of one, to stand on")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String template;

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "NAME",
                description = "name of the new disk")
        private @Nullable String name;

        @Option(
                names = "--size",
                paramLabel = "SIZE",
                description = "size of each new disk, as in 40G (default: as large as TEMPLATE)",
                converter = SizeConverter.class)
        private @Nullable Long sizeBytes;

        @Option(
                names = "--count",
                paramLabel = "N",
                description = "how many disks, named by --name-pattern (default: 1)",
                defaultValue = "1")
        private int count;

        @Option(
                names = "--name-pattern",
                paramLabel = "PATTERN",
                description = "names of the new disks, with %%d or, filled up with zeros, %%04d")
        private @Nullable String pattern;

        @Option(
                names = "--first",
                paramLabel = "N",
                description = "the first number in the names (default: 1)",
                defaultValue = "1")
        private int first;

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
            List<String> names = names();
            List<DiskView> made = new ArrayList<>();
            Progress progress = output.progress("cloning");
            try (VolumeClient client = VolumeAccess.open(data, false)) {
                for (int i = 0; i < names.size(); i += BATCH) {
                    List<String> batch = names.subList(i, Math.min(i + BATCH, names.size()));
                    DiskClone.Request request = new DiskClone.Request(template, batch, sizeBytes);
                    made.addAll(client.call(DiskClone.TYPE, request).disks());
                    progress.show(made.size(), names.size());
                }
            } catch (BlockException e) {
                throw made.isEmpty() ? e : withMade(made, e);
            } finally {
                progress.clear();
            }
            output.print(made, writer -> print(made, writer));
        }

        /** Those of earlier requests; what the last one made is in its message. */
        private static BlockException withMade(List<DiskView> made, BlockException e) {
            return new BlockException(
                    e.error(),
                    e.getMessage()
                            + "; clones made before: "
                            + made.size()
                            + ", "
                            + made.get(0).name()
                            + " to "
                            + made.get(made.size() - 1).name(),
                    e);
        }

        private List<String> names() {
            if (name != null && pattern == null && count == 1) {
                return List.of(name);
            }
            if (name != null || pattern == null) {
                throw wrong("NAME of one clone, or --count and --name-pattern of many, expected");
            }
            if (!CloneNames.isPattern(pattern)) {
                throw wrong(
                        "--name-pattern: value="
                                + pattern
                                + ", expected=one %d or %04d in it, as in vm-%04d");
            }
            if (count < 1 || first < 0) {
                throw wrong("--count: value=" + count + ", expected=1 or more");
            }
            return CloneNames.of(pattern, first, count);
        }

        private ParameterException wrong(String message) {
            return new ParameterException(spec.commandLine(), message);
        }

        private static void print(List<DiskView> made, PrintWriter writer) {
            for (DiskView disk : made) {
                writer.println("Created " + disk.name() + ", " + ByteSize.human(disk.sizeBytes()));
            }
        }
    }

    /** {@code quoin disk children}. */
    @Command(
            name = "children",
            description = "List the disks that stand on a disk, or on snapshots of it.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Those that stand on the disk itself keep it read-only.",
                "",
                "Examples:",
                "  quoin disk children debian",
                "  quoin disk children vm1@monday"
            })
    static final class Children extends DiskCommand.OnVolume {
        @Parameters(paramLabel = "NAME", description = "name of the disk, or of a snapshot of one")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        void run(VolumeClient client, OutputOption out) {
            DiskChildren.Result result =
                    client.call(DiskChildren.TYPE, new DiskChildren.Request(name));
            out.print(result.children(), writer -> result.children().forEach(writer::println));
        }
    }
}
