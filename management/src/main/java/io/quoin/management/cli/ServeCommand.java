package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.block.Uncaught;
import io.quoin.brick.posix.InheritedSocket;
import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.daemon.DiskSpec;
import io.quoin.management.daemon.ListenAddress;
import io.quoin.management.daemon.ServiceManager;
import io.quoin.management.daemon.SocketOptions;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.ProcessText;
import io.quoin.nbd.NbdServerOptions;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.SizeConverter;
import io.quoin.xlator.NameText;
import io.quoin.xlator.memory.ProcessMemory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code quoin serve}: runs until it is told to stop by SIGTERM or SIGINT, and then exits with 0.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "serve",
        description = "Serve the disks of a volume over NBD.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "SIGTERM and SIGINT answer what is in flight, flush, and end it with exit code 0.",
            "",
            "Examples:",
            "  quoin serve --disk vm1=10G",
            "  quoin serve --data /srv/quoin --listen 127.0.0.1:0",
            "  quoin serve --listen none --socket /run/quoin/nbd.sock --socket-group kvm"
        })
final class ServeCommand implements Runnable {
    private static final int OWNER_ALONE = 0600;
    private static final int OWNER_AND_GROUP = 0660;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Option(
            names = "--disk",
            paramLabel = "NAME=SIZE",
            description = "make this disk if it isn't there; repeatable",
            converter = DiskSpecConverter.class)
    private List<DiskSpec> disks = new ArrayList<>();

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description =
                    "TCP address for NBD, or none; port 0 picks one (default: ${DEFAULT-VALUE})",
            defaultValue = "127.0.0.1:10809")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String listen;

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "unix socket for NBD (default: DIR/nbd.sock)")
    private @Nullable Path socket;

    @Option(
            names = "--socket-mode",
            paramLabel = "MODE",
            description =
                    "permissions of that socket, in octal (default: 0600, with --socket-group 0660)",
            converter = ModeConverter.class)
    private @Nullable Integer socketMode;

    @Option(
            names = "--socket-group",
            paramLabel = "GROUP",
            description =
                    "group of that socket, which then may use it, as kvm for QEMU under libvirt"
                            + " (default: this user's)")
    private @Nullable String socketGroup;

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            description =
                    "NBD connections at once on the socket, and as many on the TCP address"
                            + " (default: ${DEFAULT-VALUE})",
            defaultValue = "" + NbdServerOptions.CONNECTIONS_MAX)
    private int connectionsMax;

    @Option(
            names = "--max-connections-per-peer",
            paramLabel = "N",
            description =
                    "how many of them one TCP address, or one process on the socket, may have"
                            + " (default: three quarters)")
    private @Nullable Integer connectionsPerPeerMax;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description =
                    "memory for the caches and buffers of all disks together, 96M to 4G"
                            + " (default: an eighth of the machine's, at most 192M)",
            converter = SizeConverter.class)
    private @Nullable Long memory;

    @Option(
            names = "--hide-snapshots",
            description =
                    "list no snapshots to NBD clients, which can open DISK@SNAPSHOT all the same")
    private boolean hidesSnapshots;

    @Option(
            names = "--bitmap-name",
            paramLabel = "DISK=NAME",
            description =
                    "what the dirty bitmap of NBD exports DISK@OLDER..NEWER is called; repeatable"
                            + " (default: since-OLDER)")
    private Map<String, String> bitmapNames = new LinkedHashMap<>();

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ApiOption api;

    @Mixin
    @SuppressWarnings({"NullAway.Init", "UnusedVariable"}) // Main has read it
    private LogOption logging;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        DataFolder folder = data.folder();
        ServiceManager manager =
                ServiceManager.of(ProcessText.environment(), ProcessHandle.current().pid());
        DaemonOptions options =
                new DaemonOptions(
                        folder,
                        data.volfile(),
                        disks,
                        listen.equals("none") ? null : ListenAddress.parse(listen),
                        socket(manager.inherited(), folder),
                        connectionsMax,
                        connectionsPerPeerMax == null
                                ? NbdServerOptions.perPeer(connectionsMax)
                                : connectionsPerPeerMax,
                        DaemonOptions.defaultLoopCount(),
                        Version.text(),
                        memory == null ? ProcessMemory.defaultBytes() : memory,
                        api.chosen(spec),
                        !hidesSnapshots,
                        bitmapNames);
        Uncaught.watchThreads();
        Daemon daemon = Daemon.start(options);
        ServiceProcess.closeAtExit(
                () -> {
                    manager.close();
                    daemon.close();
                });
        manager.ready(daemon.loops());
        List<Served> served = served(daemon);
        if (output.isJson()) {
            Map<String, Object> ready = new LinkedHashMap<>();
            ready.put("ready", true);
            ready.put("pid", ProcessHandle.current().pid());
            ready.put("data", folder.text());
            ready.put("nbd", daemon.addresses());
            ready.put("api", daemon.apiAddress());
            ready.put("disks", served);
            output.print(ready, out -> {});
        } else {
            print(served, daemon.addresses(), output.out());
            if (daemon.apiAddress() != null) {
                output.out().println("api: https://" + daemon.apiAddress());
            }
            output.out().println("ready");
            output.out().flush();
        }
        ServiceProcess.waitForTheEnd();
    }

    private SocketOptions socket(@Nullable InheritedSocket inherited, DataFolder folder) {
        if (inherited != null) {
            if (socket != null || socketGroup != null || socketMode != null) {
                throw new ParameterException(
                        spec.commandLine(),
                        "the socket was handed over by the service manager: path="
                                + NameText.of(inherited.path())
                                + ", expected=no --socket, --socket-mode and --socket-group");
            }
            return SocketOptions.of(inherited);
        }
        int byDefault = socketGroup == null ? OWNER_ALONE : OWNER_AND_GROUP;
        return new SocketOptions(
                socket == null ? folder.nbdSocket() : socket,
                socketMode == null ? byDefault : socketMode,
                socketGroup,
                null);
    }

    /** A disk and how to attach it. */
    private record Served(String name, long sizeBytes, List<String> uris, List<String> qemuArgs) {}

    private static List<Served> served(Daemon daemon) {
        NbdAddresses nbd = daemon.addresses();
        return daemon.disks().stream().map(disk -> served(disk, nbd)).toList();
    }

    private static Served served(DiskView disk, NbdAddresses nbd) {
        return new Served(
                disk.name(),
                disk.sizeBytes(),
                nbd.uris(disk.name()),
                nbd.qemuArguments(disk.name()));
    }

    private static void print(List<Served> served, NbdAddresses nbd, PrintWriter out) {
        if (served.isEmpty()) {
            out.println("no disks yet: make one with: quoin disk create NAME SIZE");
            nbd.uris("").forEach(uri -> out.println("  nbd: " + uri));
        }
        for (Served disk : served) {
            out.println("disk " + disk.name() + ", " + ByteSize.human(disk.sizeBytes()));
            disk.uris().forEach(uri -> out.println("  nbd: " + uri));
            out.println("  qemu: " + AttachCommands.shell(disk.qemuArgs()));
        }
    }

    /** {@code NAME=SIZE}. */
    private static final class DiskSpecConverter implements ITypeConverter<DiskSpec> {
        @Override
        public DiskSpec convert(String text) {
            int equals = text.indexOf('=');
            if (equals <= 0) {
                throw new TypeConversionException(
                        "illegal disk: value=" + text + ", expected=NAME=SIZE as in vm1=10G");
            }
            try {
                long sizeBytes = ByteSize.parse(text.substring(equals + 1));
                return new DiskSpec(text.substring(0, equals), sizeBytes);
            } catch (BlockException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /** Permissions, in octal. */
    private static final class ModeConverter implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            if (!text.matches("0?[0-7]{3}")) {
                throw new TypeConversionException(
                        "illegal mode: value=" + text + ", expected=octal digits as in 0660");
            }
            return Integer.parseInt(text, 8);
        }
    }
}
