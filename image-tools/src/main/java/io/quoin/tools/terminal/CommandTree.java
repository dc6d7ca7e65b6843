package io.quoin.tools.terminal;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * Makes commands and those below them. Reading the annotations of all of them takes longer than
 * most commands do, so where the next argument is the name of a command, it alone is made. Where it
 * is anything else (an option as {@code --help}, a misspelt name) all are, since they are shown or
 * searched for one like it.
 *
 * <p>Threading: confined to the main thread.
 */
public final class CommandTree {
    private final String[] arguments;

    private CommandTree(String[] arguments) {
        this.arguments = arguments;
    }

    /**
     * A command, with those below it that {@code arguments} may mean.
     *
     * @param arguments of the program; none: every command is made
     */
    public static CommandLine of(Class<?> command, String... arguments) {
        return new CommandTree(arguments).make(command, 0);
    }

    /**
     * @param next the index of the argument behind the command's name; beyond the end: it is not
     *     called, or called without
     */
    private CommandLine make(Class<?> type, int next) {
        CommandLine command = new CommandLine(type);
        Subcommands below = type.getAnnotation(Subcommands.class);
        if (below == null) {
            return command;
        }
        Class<?> called = next < arguments.length ? find(below, arguments[next]) : null;
        if (called != null) {
            command.addSubcommand(make(called, next + 1));
            return command;
        }
        for (Class<?> each : below.value()) {
            command.addSubcommand(make(each, arguments.length));
        }
        return command;
    }

    static @Nullable Class<?> find(Subcommands below, String name) {
        for (Class<?> each : below.value()) {
            if (each.getAnnotation(Command.class).name().equals(name)) {
                return each;
            }
        }
        return null;
    }
}
