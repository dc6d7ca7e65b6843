package io.quoin.management.cli;

import io.quoin.management.http.OpenApi;
import io.quoin.tools.terminal.OutputOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * {@code quoin api}: the document of the HTTP API.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "api",
        description = "Print the document of the HTTP API, as OpenAPI 3.1 has it.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A running service has it under /v1/openapi.json.",
            "",
            "Examples:",
            "  quoin api > quoin.json",
            "  curl --unix-socket DIR/control.sock http://localhost/v1/disks"
        })
final class ApiCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().getOut().println(OutputOption.json(OpenApi.document()));
        spec.commandLine().getOut().flush();
    }
}
