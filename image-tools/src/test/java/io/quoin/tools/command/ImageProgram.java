package io.quoin.tools.command;

import io.quoin.tools.terminal.CommandRules;
import io.quoin.tools.terminal.CommandTree;
import io.quoin.tools.terminal.Subcommands;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code quoin image}, as the program {@code quoin} has it. */
@Command(name = "quoin")
@Subcommands(ImageCommand.class)
final class ImageProgram {
    private ImageProgram() {}

    /** What a command line came to. */
    record Outcome(int exitCode, String out, String err) {}

    /** Runs the verb that is first in {@code arguments}. */
    static Outcome run(List<String> arguments) {
        List<String> all = new ArrayList<>(arguments);
        all.add(0, "image");
        String[] line = all.toArray(String[]::new);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = CommandRules.applyTo(CommandTree.of(ImageProgram.class, line));
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(line);
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
