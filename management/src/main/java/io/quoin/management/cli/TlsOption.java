package io.quoin.management.cli;

import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.replicate.wire.WireTiming;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * {@code --tls-cert}, {@code --tls-key}, {@code --tls-ca} and {@code --insecure}.
 *
 * <p>Threading: confined to the main thread.
 */
final class TlsOption {
    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description = "PEM certificate of this side; a brick's names its host")
    private @Nullable Path certificate;

    @Option(
            names = "--tls-key",
            paramLabel = "FILE",
            description = "its key: PEM, PKCS 8, without a password")
    private @Nullable Path key;

    @Option(
            names = "--tls-ca",
            paramLabel = "FILE",
            description = "PEM certificate of the CA that signs those of bricks and gateways")
    private @Nullable Path ca;

    @Option(
            names = "--insecure",
            description =
                    "no TLS on addresses that other hosts reach: all of them can then read and write"
                            + " all data")
    private boolean isInsecure;

    WireOptions chosen(CommandSpec spec) {
        return new WireOptions(files(spec), isInsecure, WireTiming.byDefault());
    }

    private @Nullable TlsFiles files(CommandSpec spec) {
        if (certificate == null && key == null && ca == null) {
            return null;
        }
        if (certificate == null || key == null || ca == null) {
            throw new ParameterException(
                    spec.commandLine(), "--tls-cert, --tls-key and --tls-ca go together");
        }
        return new TlsFiles(certificate, key, ca);
    }
}
