package io.quoin.management.cli;

import io.quoin.management.operation.DiskInfo;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.operation.NbdShow;
import io.quoin.management.operation.VolumeClient;
import io.quoin.tools.terminal.OutputOption;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin disk uri|qemu-args|xml}: how to attach a disk.
 *
 * <p>Threading: confined to the main thread.
 */
final class AttachCommands {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=,@%+-]+");

    private AttachCommands() {}

    /** A command about an existing disk and the addresses that it is served on. */
    abstract static class OnServedDisk extends DiskCommand.OnVolume {
        @Parameters(paramLabel = "NAME", description = "name of the disk, or of a snapshot of one")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String name;

        @Override
        final void run(VolumeClient client, OutputOption out) {
            client.call(DiskInfo.TYPE, new DiskInfo.Request(name)); // fails if it is not there
            print(export(name), client.call(NbdShow.TYPE, new NbdShow.Request()), out);
        }

        abstract void print(String disk, NbdAddresses nbd, OutputOption out);
    }

    /** {@code quoin disk uri}. */
    @Command(
            name = "uri",
            description = "Print the NBD URIs of a disk.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  nbdcopy \"$(quoin disk uri vm1 | head -1)\" vm1.img"})
    static final class Uri extends OnServedDisk {
        @Override
        void print(String disk, NbdAddresses nbd, OutputOption out) {
            List<String> uris = nbd.uris(disk);
            out.print(Map.of("name", disk, "uris", uris), writer -> uris.forEach(writer::println));
        }
    }

    /** {@code quoin disk qemu-args}. */
    @Command(
            name = "qemu-args",
            description = "Print the arguments that attach a disk to a QEMU guest.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  qemu-system-x86_64 -m 1G $(quoin disk qemu-args vm1)"})
    static final class QemuArgs extends OnServedDisk {
        @Override
        void print(String disk, NbdAddresses nbd, OutputOption out) {
            List<String> arguments = nbd.qemuArguments(disk);
            out.print(
                    Map.of("name", disk, "arguments", arguments),
                    writer -> writer.println(shell(arguments)));
        }
    }

    /** {@code quoin disk xml}. */
    @Command(
            name = "xml",
            description = "Print the disk element of a libvirt domain.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Example:",
                "  quoin disk xml vm1 --target vdb > disk.xml && virsh attach-device guest disk.xml"
            })
    static final class Xml extends OnServedDisk {
        @Option(
                names = "--target",
                paramLabel = "DEVICE",
                description = "device name in the guest (default: ${DEFAULT-VALUE})",
                defaultValue = "vda")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String target;

        @Override
        void print(String disk, NbdAddresses nbd, OutputOption out) {
            String xml = nbd.libvirtXml(disk, target);
            out.print(Map.of("name", disk, "xml", xml), writer -> writer.print(xml));
        }
    }

    /** A line for a shell. */
    static String shell(List<String> arguments) {
        return arguments.stream().map(AttachCommands::quoted).collect(Collectors.joining(" "));
    }

    private static String quoted(String argument) {
        return PLAIN.matcher(argument).matches()
                ? argument
                : "'" + argument.replace("'", "'\\''") + "'";
    }
}
