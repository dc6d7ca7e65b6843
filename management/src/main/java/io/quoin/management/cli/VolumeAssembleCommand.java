package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.assemble.AssembledCopy;
import io.quoin.management.assemble.Assembly;
import io.quoin.management.assemble.BricksAtRest;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Progress;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin volume assemble}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "assemble",
        description = "Put the files of a volume together from its bricks, without a service.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Of bricks with copies the newest current one is read, and another one where a block of"
                    + " it is corrupt.",
            "Bricks are only read, and must not be in use. Nothing is written if a file is"
                    + " incomplete, unless",
            "--file names others.",
            "",
            "Examples:",
            "  quoin volume assemble /var/lib/quoin/volumes/wide/volume.vol --to /srv/rescue",
            "  quoin volume assemble /mnt/disk0/wide /mnt/disk1/wide --to /srv/rescue --file"
                    + " vm1.qcow2"
        })
final class VolumeAssembleCommand implements Runnable {
    @Parameters(
            arity = "1..*",
            paramLabel = "VOLFILE|BRICK",
            description = "the volume's volfile, or folders of its bricks")
    private List<Path> given = new ArrayList<>();

    @Option(
            names = "--to",
            required = true,
            paramLabel = "DIR",
            description = "where the files are written; made if it is missing")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path to;

    @Option(
            names = "--file",
            paramLabel = "NAME",
            description = "these files alone; repeatable (default: all)")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--stale",
            description =
                    "take the newest copies there are, though bricks that are missing may have newer"
                            + " ones")
    private boolean isStaleAllowed;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    /**
     * A file that was written.
     *
     * @param name of it
     * @param sizeBytes of it
     * @param isClean whether it was closed in order; else unflushed writes may be missing
     */
    record Written(String name, long sizeBytes, boolean isClean) {}

    @Override
    @SuppressWarnings("try") // the locks are held meanwhile
    public void run() {
        try (BricksAtRest held = new BricksAtRest(Assembly.folders(given))) {
            Assembly assembly = Assembly.of(given, isStaleAllowed);
            List<String> wanted = wanted(assembly);
            AssembledCopy copy = new AssembledCopy(NameText.absolute(to));
            wanted.stream()
                    .filter(copy::isThere)
                    .findFirst()
                    .ifPresent(
                            name -> {
                                throw new BlockException(
                                        BlockError.EEXIST,
                                        "file exists already: path="
                                                + NameText.of(to)
                                                + "/"
                                                + name);
                            });
            List<Written> written = write(assembly, wanted, copy);
            output.print(written, out -> print(written, out));
        }
    }

    private List<String> wanted(Assembly assembly) {
        if (names.isEmpty()) {
            if (!assembly.problems().isEmpty()) {
                throw new BlockException(
                        BlockError.EIO,
                        "volume is not whole: "
                                + String.join("; ", assembly.problems())
                                + (assembly.names().isEmpty()
                                        ? ""
                                        : "; whole are: " + String.join(", ", assembly.names())));
            }
            return assembly.names();
        }
        for (String name : names) {
            if (!assembly.names().contains(name)) {
                String problem =
                        assembly.problems().stream()
                                .filter(text -> text.contains("file=" + name + ","))
                                .findFirst()
                                .orElse(NearestName.unknown("file", name, assembly.names()));
                throw new BlockException(BlockError.ENOENT, problem);
            }
        }
        return names;
    }

    private List<Written> write(Assembly assembly, List<String> wanted, AssembledCopy copy) {
        long total = wanted.stream().mapToLong(assembly::sizeBytes).sum();
        long[] done = {0};
        Progress progress = output.progress("assembling");
        List<Written> written = new ArrayList<>();
        try {
            for (String name : wanted) {
                copy.copy(
                        assembly,
                        name,
                        bytes -> {
                            done[0] += bytes;
                            progress.show(done[0], total);
                        });
                written.add(new Written(name, assembly.sizeBytes(name), assembly.isClean(name)));
            }
        } finally {
            progress.clear();
        }
        return written;
    }

    private static void print(List<Written> written, PrintWriter writer) {
        Table table = new Table("FILE", ">SIZE", "CLOSED IN ORDER");
        for (Written file : written) {
            table.row(
                    DiskCommand.printable(file.name()),
                    ByteSize.human(file.sizeBytes()),
                    file.isClean() ? "yes" : "no: unflushed writes may be missing");
        }
        table.print(writer);
    }
}
