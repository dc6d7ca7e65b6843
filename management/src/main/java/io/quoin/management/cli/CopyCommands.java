package io.quoin.management.cli;

import io.quoin.management.operation.DiskAdopt;
import io.quoin.management.operation.DiskExport;
import io.quoin.management.operation.DiskImport;
import io.quoin.nbd.client.NbdUri;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Content of disks from elsewhere and for elsewhere: {@code quoin disk export} and {@code quoin
 * disk import}.
 *
 * <p>Threading: confined to the main thread.
 */
final class CopyCommands {
    private CopyCommands() {}

    /** The same file for a service, whose working folder is another. */
    private static String absolute(String file) {
        return NameText.of(NameText.absolute(NameText.path(file)));
    }

    private static @Nullable String text(@Nullable ImageFormat format) {
        return format == null ? null : format.text();
    }

    /** {@code quoin disk export}. */
    @Command(
            name = "export",
            description = "Copy a disk or a snapshot into an image file that stands on nothing.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "A disk that is attached for writing is refused (EBUSY): make a snapshot, and export"
                        + " that while",
                "guests go on. What a clone reads from the disks that it stands on is in FILE too;"
                        + " zeros take no",
                "space. FILE has its name when it is whole and durable; if that fails, or the job is"
                        + " cancelled,",
                "nothing is left of it.",
                "",
                "Where a service runs this is a job of it. The service writes FILE, with its rights"
                        + " and as its",
                "user; a relative name is meant from the folder of this command.",
                "",
                "Examples:",
                "  quoin disk export vm1@monday /backup/vm1.qcow2 --compress",
                "  quoin disk export debian debian.raw",
                "  nbdcopy \"$(quoin disk uri vm1@monday | head -1)\" - | zstd > vm1.zst"
            })
    static final class Export extends ByJob {
        @Parameters(
                index = "0",
                paramLabel = "DISK[@SNAPSHOT]",
                description = "the disk, or the snapshot of one")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Parameters(index = "1", paramLabel = "FILE", description = "the file that is made")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String file;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "of FILE: qcow2 or raw (default: raw for *.raw and *.img)")
        private @Nullable ImageFormat format;

        @Option(
                names = {"-c", "--compress"},
                description = "store the clusters of a qcow2 file compressed")
        private boolean compressed;

        @Option(
                names = {"-f", "--force"},
                description = "replace FILE if it is there")
        private boolean forced;

        @Override
        Started<?> start() {
            return new Started<>(
                    DiskExport.TYPE,
                    new DiskExport.Request(name, absolute(file), text(format), compressed, forced));
        }

        @Override
        String doing() {
            return "exporting";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            writer.println(
                    "Exported "
                            + DiskCommand.printable(name)
                            + " to "
                            + NameText.printable(file)
                            + ", "
                            + ByteSize.human(number(result, "sizeBytes"))
                            + ", "
                            + ByteSize.human(number(result, "storedBytes"))
                            + " of it stored");
        }
    }

    /** {@code quoin disk import}. */
    @Command(
            name = "import",
            description = "Make a disk that is a copy of an image file, or of an NBD export.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "SOURCE is read with its backing files, which lie in its folder, and is not changed;"
                        + " one that",
                "something writes is refused. The format goes by the suffix, never by the content,"
                        + " which a",
                "guest may have written: give --format for a qcow2 image called *.img. Internal"
                        + " snapshots and",
                "bitmaps of SOURCE are not copied. The disk is in no list until it is whole; if that"
                        + " fails,",
                "or the job is cancelled, nothing is left of it. Where a service runs this is a job"
                        + " of it, and",
                "the service reads SOURCE, with its rights.",
                "",
                "With --adopt nothing is copied: SOURCE, and each backing file, is moved into the volume"
                        + " with its",
                "snapshots. All are qcow2 files of one folder, on the volume's file system, and of its"
                        + " owner;",
                "backing files become disks of their own names. What is open elsewhere, encrypted, or"
                        + " has other",
                "images of its folder standing on it is refused, and left as it was.",
                "",
                "Examples:",
                "  quoin disk import debian-12-generic-amd64.qcow2 debian",
                "  quoin disk import --format qcow2 noble-server-cloudimg-amd64.img noble",
                "  quoin disk import nbd://host/vm1 vm1",
                "  quoin disk import --adopt /images/vm1.qcow2 vm1"
            })
    static final class Import extends ByJob {
        @Parameters(
                index = "0",
                paramLabel = "SOURCE",
                description = "an image file, or an nbd:// or nbd+unix:// address")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String source;

        @Parameters(index = "1", paramLabel = "NAME", description = "name of the new disk")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Option(
                names = "--format",
                paramLabel = "FORMAT",
                description = "of a file: qcow2 or raw (default: raw for *.raw and *.img)")
        private @Nullable ImageFormat format;

        @Override
        boolean isMaking() {
            return true;
        }

        @Option(
                names = "--adopt",
                description =
                        "move a qcow2 file, with its backing files and snapshots, instead of copying"
                                + " it")
        private boolean adopting;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        Started<?> start() {
            if (adopting) {
                return adoption();
            }
            String from = NbdUri.isUri(source) ? source : absolute(source);
            return new Started<>(DiskImport.TYPE, new DiskImport.Request(name, from, text(format)));
        }

        private Started<?> adoption() {
            if (format == ImageFormat.RAW || NbdUri.isUri(source)) {
                throw new ParameterException(
                        spec.commandLine(), "--adopt takes a qcow2 file: SOURCE=" + source);
            }
            return new Started<>(DiskAdopt.TYPE, new DiskAdopt.Request(name, absolute(source)));
        }

        @Override
        String doing() {
            return "importing";
        }

        @Override
        void print(Map<String, Object> result, PrintWriter writer) {
            if (adopting) {
                writer.println(
                        "Moved "
                                + NameText.printable(source)
                                + " into the volume, "
                                + ByteSize.human(number(result, "sizeBytes"))
                                + ", disks: "
                                + result.get("disks"));
                return;
            }
            writer.println(
                    "Imported "
                            + DiskCommand.printable(name)
                            + ", "
                            + ByteSize.human(number(result, "sizeBytes"))
                            + ", "
                            + ByteSize.human(number(result, "storedBytes"))
                            + " of it stored");
        }
    }
}
