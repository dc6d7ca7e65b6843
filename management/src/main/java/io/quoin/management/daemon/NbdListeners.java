package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.brick.posix.InheritedSocket;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.volume.VolumeResources;
import io.quoin.nbd.InheritedListener;
import io.quoin.nbd.NbdConnection;
import io.quoin.nbd.NbdServer;
import io.quoin.nbd.NbdServerOptions;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The NBD server of a daemon and where it listens.
 *
 * <p>Threading: thread-safe.
 */
final class NbdListeners implements AutoCloseable {
    private final NbdServer server;
    private final NbdAddresses addresses;

    private NbdListeners(NbdServer server, NbdAddresses addresses) {
        this.server = server;
        this.addresses = addresses;
    }

    static NbdListeners start(
            DaemonOptions options, ExportCatalogue exports, VolumeResources resources) {
        List<SocketAddress> wanted = new ArrayList<>();
        InheritedSocket inherited = options.socket().inherited();
        wanted.add(
                inherited == null
                        ? UnixDomainSocketAddress.of(options.socket().path())
                        : new InheritedListener(inherited.descriptor(), inherited.path()));
        ListenAddress listen = options.listen();
        if (listen != null) {
            wanted.add(listen.resolve());
        }
        NbdServer server;
        try {
            server =
                    NbdServer.start(
                            resources.loops(),
                            exports,
                            wanted,
                            serverOptions(options, resources.memory()));
        } catch (BlockException e) {
            throw isTaken(e) && listen != null ? taken(listen, e) : e;
        }
        return new NbdListeners(server, addresses(options, server));
    }

    /** All of the share for payload is the server's to hand out. */
    private static NbdServerOptions serverOptions(DaemonOptions options, ProcessMemory memory) {
        NbdServerOptions defaults = NbdServerOptions.defaults();
        return defaults.withSocketAccess(options.socket().mode(), options.socket().group())
                .withConnectionsMax(options.connectionsMax(), options.connectionsPerPeerMax())
                .withInFlightMax(
                        defaults.requestsInFlightMax(),
                        defaults.bytesInFlightMax(),
                        memory.limitBytes(MemoryUse.PAYLOAD));
    }

    private static NbdAddresses addresses(DaemonOptions options, NbdServer server) {
        ListenAddress listen = options.listen();
        String tcp = null;
        for (SocketAddress bound : server.boundAddresses()) {
            if (listen != null && bound instanceof InetSocketAddress inet) {
                tcp = listen.withPort(inet.getPort()).toString();
            }
        }
        return new NbdAddresses(NameText.of(options.socket().path()), tcp);
    }

    /** Whether a TCP port is what could not be had. */
    private static boolean isTaken(BlockException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                return true;
            }
            String message = String.valueOf(cause.getMessage());
            if (message.contains("Address already in use")) {
                return true;
            }
        }
        return false;
    }

    private static BlockException taken(ListenAddress listen, @Nullable BlockException cause) {
        return new BlockException(
                BlockError.EBUSY,
                "cannot listen on TCP: address="
                        + listen
                        + ", reason=port "
                        + listen.port()
                        + " is taken; choose another with --listen HOST:PORT, port 0 for any free"
                        + " one, or --listen none for the unix socket alone",
                cause);
    }

    /** What is attached, the oldest first. */
    List<NbdConnection> connections() {
        return server.connections();
    }

    /** As {@link NbdServer#disconnect}. */
    int disconnect(String export) {
        return server.disconnect(export);
    }

    NbdAddresses addresses() {
        return addresses;
    }

    /** Answers what is in flight and lets go of every disk. */
    @Override
    public void close() {
        Stages.await(server.close());
    }
}
