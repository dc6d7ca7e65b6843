package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.operation.BackupExport;
import io.quoin.management.operation.BackupImport;
import io.quoin.snapshot.SnapshotName;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.xlator.NameText;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Streams of differences between volumes: {@code quoin backup export-diff} and {@code quoin backup
 * import-diff}.
 *
 * <p>Threading: confined to the main thread.
 */
final class DiffStreamCommands {
    private static final String STANDARD = "-";

    private DiffStreamCommands() {}

    /**
     * Whether this process has to read or write it: the service opens regular files alone, since
     * others may have it wait for ever.
     */
    private static boolean isPiped(String file) {
        Path path = NameText.path(file);
        boolean isOther = Files.exists(path) && !Files.isRegularFile(path);
        return isOther || file.equals(STANDARD);
    }

    private static String absolute(String file) {
        return NameText.of(NameText.absolute(NameText.path(file)));
    }

    private static OutputStream output(String file) {
        try {
            return file.equals(STANDARD)
                    ? new FileOutputStream(FileDescriptor.out)
                    : Files.newOutputStream(NameText.path(file), StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static InputStream input(String file) {
        try {
            return file.equals(STANDARD)
                    ? new FileInputStream(FileDescriptor.in)
                    : Files.newInputStream(NameText.path(file));
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static BlockException failure(String file, IOException e) {
        return Reason.failure("stream cannot be opened", NameText.printable(file), e);
    }

    /** A command on a stream that may be a pipe. */
    abstract static class OnStream extends ByJob {
        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        private @Nullable StreamPipe pipe;

        final ParameterException wrong(String message) {
            return new ParameterException(spec.commandLine(), message);
        }

        /** What the service is told. */
        final String stream(String file) {
            if (!isPiped(file)) {
                return absolute(file);
            }
            if (isDetached()) {
                throw wrong("--no-wait goes with a file alone: FILE=" + file);
            }
            StreamPipe opened = open(file);
            pipe = opened;
            return opened.path();
        }

        abstract StreamPipe open(String file);

        final boolean hasPipe() {
            return pipe != null;
        }

        @Override
        final void done() {
            if (pipe != null) {
                pipe.await();
            }
        }

        @Override
        final void release() {
            if (pipe != null) {
                pipe.close();
            }
        }
    }

    /** {@code quoin backup export-diff}. */
    @Command(
            name = "export-diff",
            description =
                    "Write what differs between two snapshots of a disk as a stream for another volume.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "With DISK alone as the first argument all of the snapshot is written. FILE may be -"
                        + " for standard",
                "output; the result goes to stderr then. A file has its name when it is whole and"
                        + " durable.",
                "Guests go on. The stream can be imported by quoin backup import-diff into a disk of"
                        + " another volume",
                "that has the older snapshot from an import before.",
                "",
                "Examples:",
                "  quoin backup export-diff vm1 vm1@monday /backup/vm1-monday.diff",
                "  quoin backup export-diff vm1@monday vm1@tuesday - | zstd > tuesday.diff.zst",
                "  quoin backup export-diff vm1@monday vm1@tuesday - | ssh host quoin backup"
                        + " import-diff - vm1"
            })
    static final class ExportDiff extends OnStream {
        @Parameters(
                index = "0",
                paramLabel = "DISK[@FROM]",
                description = "the older snapshot, by name or id; without one, all is written")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String older;

        @Parameters(
                index = "1",
                paramLabel = "DISK@TO",
                description = "the newer snapshot, by name or id")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String newer;

        @Parameters(index = "2", paramLabel = "FILE", description = "the file that is made, or -")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String file;

        @Option(
                names = {"-f", "--force"},
                description = "replace FILE if it is there")
        private boolean forced;

        @Override
        Started<?> start() {
            NamedSnapshot to = NamedSnapshot.of(newer);
            boolean isWhole = !SnapshotName.isOne(older);
            String disk = isWhole ? older : NamedSnapshot.of(older).disk();
            if (!disk.equals(to.disk())) {
                throw wrong("two snapshots of one disk expected: " + older + " and " + newer);
            }
            return new Started<>(
                    BackupExport.TYPE,
                    new BackupExport.Request(
                            to.disk(),
                            isWhole ? null : NamedSnapshot.of(older).snapshot(),
                            to.snapshot(),
                            stream(file),
                            forced));
        }

        @Override
        StreamPipe open(String piped) {
            return StreamPipe.to(output(piped));
        }

        @Override
        PrintWriter printer(ProgressOutput to) {
            return hasPipe() ? to.err() : to.out();
        }

        @Override
        String doing() {
            return "exporting";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            writer.println(
                    "Exported "
                            + DiskCommand.printable(newer)
                            + (result.get("from") == null
                                    ? ", all of it, "
                                    : " since " + DiskCommand.printable(older) + ", ")
                            + ByteSize.human(number(result, "dataBytes"))
                            + " of data, "
                            + ByteSize.human(number(result, "zeroBytes"))
                            + " of zeros, in "
                            + ByteSize.human(number(result, "streamBytes")));
        }
    }

    /** {@code quoin backup import-diff}. */
    @Command(
            name = "import-diff",
            description = "Apply a stream of differences to a disk, and make the snapshot there.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "DISK must have the snapshot that the stream goes on from, of the same UUID, must not have"
                        + " changed",
                "since (quoin snapshot rollback), and be attached by nothing. A stream of a whole disk"
                        + " makes DISK.",
                "The snapshot is made when the stream is verified to its end; a file is verified before"
                        + " anything is",
                "written. An import that was interrupted goes on when the stream is given again. Until"
                        + " then the disk",
                "is neither at the one snapshot nor at the other. FILE may be - for standard input.",
                "",
                "Examples:",
                "  quoin backup import-diff /backup/vm1-monday.diff vm1",
                "  zstdcat tuesday.diff.zst | quoin backup import-diff - vm1"
            })
    static final class ImportDiff extends OnStream {
        @Parameters(index = "0", paramLabel = "FILE", description = "the stream, or -")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String file;

        @Parameters(index = "1", paramLabel = "DISK", description = "the disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String disk;

        @Override
        Started<?> start() {
            return new Started<>(BackupImport.TYPE, new BackupImport.Request(disk, stream(file)));
        }

        @Override
        StreamPipe open(String piped) {
            return StreamPipe.from(input(piped));
        }

        @Override
        String doing() {
            return "importing";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            String made = DiskCommand.printable(result.get("name") + "@" + result.get("snapshot"));
            if (Boolean.TRUE.equals(result.get("already"))) {
                writer.println("There is " + made + " already; the stream is whole");
                return;
            }
            writer.println(
                    "Imported "
                            + made
                            + ", "
                            + ByteSize.human(number(result, "writtenBytes"))
                            + " written, "
                            + ByteSize.human(number(result, "keptBytes"))
                            + " of an earlier try kept");
        }
    }
}
