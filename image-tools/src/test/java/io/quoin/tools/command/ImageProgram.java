package io.quoin.tools.command;

import io.quoin.tools.terminal.CommandRules;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code quoin image}, as the program {@code quoin} has it. */
@Command(name = "quoin", subcommands = ImageCommand.class)
final class ImageProgram {
    private ImageProgram() {}

    /** What a command line came to. */
    record Outcome(int exitCode, String out, String err) {}

    /** Runs the verb that is first in {@code arguments}. */
    static Outcome run(List<String> arguments) {
        List<String> all = new ArrayList<>(arguments);
        all.add(0, "image");
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = CommandRules.applyTo(new CommandLine(new ImageProgram()));
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(all.toArray(String[]::new));
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
