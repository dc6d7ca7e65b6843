package io.quoin.replicate.link;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.RemoteBrick;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.replicate.wire.WireTiming;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * {@code protocol/client}: a brick of a replicated volume that a daemon serves.
 *
 * <p>Threading: immutable.
 */
public final class ClientType implements XlatorType {
    static final String TYPE = "protocol/client";
    private static final String REMOTE_HOST = "remote-host";
    private static final String REMOTE_PORT = "remote-port";
    private static final String TLS_CA = "tls-ca";
    private static final String TLS_CERT = "tls-cert";
    private static final String TLS_KEY = "tls-key";
    private static final String INSECURE = "insecure";
    private static final String PING_TIMEOUT = "ping-timeout";
    private static final int PORT_MAX = 65_535;
    private static final long TIMEOUT_TICKS_MIN = 2;
    private static final long TIMEOUT_TICKS_MAX = 600;

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.required(
                            REMOTE_HOST,
                            Option.Type.STRING,
                            "The name or address of the host that serves the brick."),
                    Option.of(
                            REMOTE_PORT,
                            Option.Type.INTEGER,
                            "24007",
                            "The port that its daemon listens on."),
                    BrickOptions.VOLUME_OPTION,
                    BrickOptions.INDEX_OPTION,
                    BrickOptions.BRICK_OPTION,
                    Option.of(
                            TLS_CA,
                            Option.Type.PATH,
                            "",
                            "PEM: the certificates of which one must have signed the brick's. All"
                                    + " three TLS files are given, or none."),
                    Option.of(
                            TLS_CERT,
                            Option.Type.PATH,
                            "",
                            "PEM: this program's certificate, then those that signed it."),
                    Option.of(
                            TLS_KEY,
                            Option.Type.PATH,
                            "",
                            "PEM: the key of the certificate, as PKCS 8 without a password."),
                    Option.of(
                            INSECURE,
                            Option.Type.BOOLEAN,
                            "off",
                            "Whether a host other than this one may be used without TLS."),
                    Option.of(
                            PING_TIMEOUT,
                            Option.Type.DURATION,
                            "4s",
                            "A connection on which nothing is received for so long has ended: whole"
                                    + " seconds, 2 to 600."));

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public OptionTable options() {
        return OPTIONS;
    }

    @Override
    public int subvolumesMin() {
        return 0;
    }

    @Override
    public int subvolumesMax() {
        return 0;
    }

    @Override
    public void check(String name, OptionValues options) {
        BrickOptions unused = BrickOptions.of(name, options);
        TlsFiles unusedFiles = tls(name, options, Path.of("/"));
        WireTiming unusedTiming = timing(name, options);
        port(name, options);
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        BrickOptions wanted = BrickOptions.of(name, options);
        WireOptions wire =
                new WireOptions(
                        tls(name, options, context.directory()),
                        options.bool(INSECURE),
                        timing(name, options));
        BrickAddress address = new BrickAddress(options.string(REMOTE_HOST), port(name, options));
        Loop loop = context.loops().next();
        NettyLoopGroup own = loop instanceof NettyLoop ? null : new NettyLoopGroup(1);
        RemoteBrick brick =
                new RemoteBrick(
                        (NettyLoop) (own == null ? loop : own.next()),
                        address,
                        wanted.volume(),
                        wanted.index(),
                        wanted.brick(),
                        wire);
        return new BrickNode(
                name,
                TYPE,
                subvolumes,
                brick,
                () -> {
                    brick.close();
                    if (own != null) {
                        context.blocking().execute(own::close);
                    }
                    return CompletableFuture.completedFuture(null);
                });
    }

    private static int port(String name, OptionValues options) {
        long port = options.integer(REMOTE_PORT);
        if (port < 1 || port > PORT_MAX) {
            throw wrong(name, REMOTE_PORT, "1 to " + PORT_MAX, options);
        }
        return (int) port;
    }

    private static WireTiming timing(String name, OptionValues options) {
        WireTiming usual = WireTiming.byDefault();
        long ticks = options.durationNanos(PING_TIMEOUT) / usual.tickNanos();
        if (ticks < TIMEOUT_TICKS_MIN || ticks > TIMEOUT_TICKS_MAX) {
            throw wrong(name, PING_TIMEOUT, "2s to 600s", options);
        }
        return new WireTiming(
                usual.tickNanos(),
                (int) ticks,
                usual.helloMax(),
                usual.stalledMax(),
                usual.lingerMax(),
                usual.callMax(),
                usual.backoffMinNanos(),
                usual.backoffMaxNanos());
    }

    private static @Nullable TlsFiles tls(String name, OptionValues options, Path directory) {
        List<String> given =
                List.of(TLS_CERT, TLS_KEY, TLS_CA).stream()
                        .filter(option -> !options.string(option).isEmpty())
                        .toList();
        if (given.isEmpty()) {
            return null;
        }
        if (given.size() < 3) {
            throw new BlockException(
                    BlockError.EINVAL,
                    name
                            + ": TLS needs "
                            + TLS_CERT
                            + ", "
                            + TLS_KEY
                            + " and "
                            + TLS_CA
                            + ": given="
                            + String.join(", ", given));
        }
        return new TlsFiles(
                directory.resolve(options.path(TLS_CERT)),
                directory.resolve(options.path(TLS_KEY)),
                directory.resolve(options.path(TLS_CA)));
    }

    private static BlockException wrong(
            String name, String option, String expected, OptionValues options) {
        return new BlockException(
                BlockError.EINVAL,
                name
                        + ": "
                        + option
                        + ": expected="
                        + expected
                        + ", actual="
                        + options.string(option));
    }
}
