package io.quoin.management.cli;

import java.util.IllegalFormatException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The manual page of a command, in man(7)'s macros, made of what its help says.
 *
 * <p>Threading: confined to its thread.
 */
final class ManPage {
    /** A line of help behind which lines stand as they are. */
    private static final Pattern EXAMPLES = Pattern.compile("Examples?:");

    private final CommandLine command;
    private final CommandSpec spec;
    private final StringBuilder text = new StringBuilder();

    private ManPage(CommandLine command) {
        this.command = command;
        this.spec = command.getCommandSpec();
    }

    /** As in {@code quoin-disk-create}. */
    static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName("-");
    }

    /** All of the page. */
    static String of(CommandLine command) {
        ManPage page = new ManPage(command);
        page.write();
        return page.text.toString();
    }

    private void write() {
        Help help = new Help(spec, Help.defaultColorScheme(Help.Ansi.OFF));
        String description = String.join(" ", formatted(spec.usageMessage().description()));
        macro("TH", name(command).toUpperCase(Locale.ROOT), "1", "", "quoin " + Version.text());
        macro("SH", "NAME");
        line(name(command) + " - " + firstSentence(description));
        macro("SH", "SYNOPSIS");
        line(help.synopsis(0).strip().replaceAll("\\s+", " "));
        macro("SH", "DESCRIPTION");
        line(description);
        List<String> footer = formatted(spec.usageMessage().footer());
        int examples = footer.size();
        for (int i = footer.size() - 1; i >= 0; i--) {
            examples = EXAMPLES.matcher(footer.get(i)).matches() ? i : examples;
        }
        paragraphs(footer.subList(0, examples));
        parameters();
        commands();
        if (examples < footer.size()) {
            macro("SH", "EXAMPLES");
            asTheyAre(footer.subList(examples + 1, footer.size()));
        }
        seeAlso();
    }

    private static String firstSentence(String description) {
        int end = description.indexOf(". ");
        return (end < 0 ? description : description.substring(0, end)).replaceFirst("\\.$", "");
    }

    private void paragraphs(List<String> lines) {
        for (String each : lines) {
            if (each.isBlank()) {
                macro("PP");
            } else {
                line(each);
            }
        }
    }

    private void parameters() {
        if (spec.positionalParameters().isEmpty() && spec.options().isEmpty()) {
            return;
        }
        macro("SH", "OPTIONS");
        for (PositionalParamSpec each : spec.positionalParameters()) {
            if (!each.hidden()) {
                term(each.paramLabel(), formatted(each.description()));
            }
        }
        for (OptionSpec each : spec.options()) {
            if (!each.hidden()) {
                String value = each.arity().max() > 0 ? " " + each.paramLabel() : "";
                term(String.join(", ", each.names()) + value, formatted(each.description()));
            }
        }
    }

    private void commands() {
        boolean isFirst = true;
        for (CommandLine each : command.getSubcommands().values()) {
            CommandSpec below = each.getCommandSpec();
            if (!below.usageMessage().hidden()) {
                if (isFirst) {
                    macro("SH", "COMMANDS");
                }
                isFirst = false;
                term(below.name(), formatted(below.usageMessage().description()));
            }
        }
    }

    private void seeAlso() {
        StringBuilder others = new StringBuilder();
        CommandLine parent = command.getParent();
        if (parent != null) {
            others.append(name(parent)).append("(1)");
        }
        for (CommandLine each : command.getSubcommands().values()) {
            if (!each.getCommandSpec().usageMessage().hidden()) {
                others.append(others.isEmpty() ? "" : ", ").append(name(each)).append("(1)");
            }
        }
        if (!others.isEmpty()) {
            macro("SH", "SEE ALSO");
            line(others.toString());
        }
    }

    private void term(String term, List<String> description) {
        macro("TP");
        text.append("\\fB").append(escaped(term)).append("\\fR\n");
        line(String.join(" ", description));
    }

    private void asTheyAre(List<String> lines) {
        macro("nf");
        for (String each : lines) {
            line(each.isBlank() ? "" : each);
        }
        macro("fi");
    }

    private void macro(String name, String... arguments) {
        text.append('.').append(name);
        for (String argument : arguments) {
            text.append(" \"").append(escaped(argument)).append('"');
        }
        text.append('\n');
    }

    private void line(String line) {
        // A line that begins with one of these would be a macro.
        boolean isMacro = line.startsWith(".") || line.startsWith("'");
        text.append(isMacro ? "\\&" : "").append(escaped(line)).append('\n');
    }

    private static String escaped(String line) {
        return line.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
    }

    /** As picocli's help does: %% is a percent sign, %n ends a line. */
    private static List<String> formatted(String[] lines) {
        return List.of(lines).stream()
                .flatMap(each -> formatted(each).lines().map(String::stripTrailing))
                .toList();
    }

    private static String formatted(String line) {
        try {
            return line.isEmpty() ? " " : String.format(line);
        } catch (IllegalFormatException e) {
            return line; // a lone percent sign is one, in the help too
        }
    }
}
