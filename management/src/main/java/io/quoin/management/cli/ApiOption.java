package io.quoin.management.cli;

import io.quoin.management.daemon.ApiOptions;
import io.quoin.management.daemon.ListenAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * {@code --api} and what it needs.
 *
 * <p>Threading: confined to the main thread.
 */
final class ApiOption {
    @Option(
            names = "--api",
            paramLabel = "HOST:PORT",
            description =
                    "serve the HTTP API on this TCP address too, with TLS and a token"
                            + " (default: on the control socket alone)")
    private @Nullable String address;

    @Option(
            names = "--api-cert",
            paramLabel = "FILE",
            description = "certificate of the API, and those that signed it, as PEM")
    private @Nullable Path certificate;

    @Option(
            names = "--api-key",
            paramLabel = "FILE",
            description = "its key, as PEM (PKCS 8) without a password")
    private @Nullable Path key;

    @Option(
            names = "--api-token",
            paramLabel = "FILE",
            description = "file with the token that clients send; 16 characters at least")
    private @Nullable Path token;

    /** Null where the control socket is all. */
    @Nullable ApiOptions chosen(CommandSpec spec) {
        if (address == null && certificate == null && key == null && token == null) {
            return null;
        }
        if (address == null || certificate == null || key == null || token == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--api, --api-cert, --api-key and --api-token go together: the API is never"
                            + " served over TCP without TLS and a token");
        }
        return new ApiOptions(ListenAddress.parse(address), certificate, key, token);
    }
}
