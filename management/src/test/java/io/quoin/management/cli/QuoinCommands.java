package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.daemon.Daemon;
import io.quoin.management.daemon.DaemonOptions;
import io.quoin.management.volume.DataFolder;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** Commands and a service of one data folder, in this process. */
final class QuoinCommands implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder folders = SocketFolder.create();
    private final DataFolder folder = new DataFolder(folders.resolve("data"));

    /** What a command printed and returned. */
    record Outcome(int exitCode, String out, String err) {}

    /** A path beside the data folder. */
    Path path(String name) {
        return folders.resolve(name);
    }

    DataFolder folder() {
        return folder;
    }

    Daemon serve() {
        return Daemon.start(
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test"));
    }

    /** What a command prints that has no failure. */
    String ok(Object... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return outcome.out();
    }

    /** What a command says that fails. */
    String fails(Object... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exitCode()).as(outcome.out()).isNotZero();
        return outcome.err();
    }

    JsonNode json(Object... arguments) throws IOException {
        List<Object> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--output", "json"));
        return JSON.readTree(ok(all.toArray()));
    }

    Outcome run(Object... arguments) {
        List<String> all = new ArrayList<>();
        for (Object argument : arguments) {
            all.add(argument.toString());
        }
        if (takesData(all)) {
            all.addAll(List.of("--data", folder.path().toString()));
        }
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(all.toArray(String[]::new));
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(all.toArray(String[]::new));
        return new Outcome(exitCode, out.toString(), err.toString());
    }

    private static boolean takesData(List<String> words) {
        CommandLine command = QuoinCommand.commandLine(words.toArray(String[]::new));
        for (String word : words) {
            CommandLine below = command.getSubcommands().get(word);
            if (below == null) {
                break;
            }
            command = below;
        }
        return command.getCommandSpec().findOption("--data") != null;
    }

    @Override
    public void close() {
        folders.close();
    }
}
