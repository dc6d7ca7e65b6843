package io.quoin.tools.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import picocli.CommandLine;

/**
 * The words of commands as people type them: options of all commands may stand before the words,
 * and other words for a command lead to its own.
 *
 * <p>Threading: immutable.
 */
public final class CommandWords {
    /** Each of a set is taken for that command of the set which there is. */
    private static final List<Set<String>> SYNONYMS =
            List.of(
                    Set.of("rm", "remove", "delete", "del", "destroy", "erase", "drop", "unlink"),
                    Set.of("ls", "list", "dir"),
                    Set.of("info", "show", "inspect", "get", "describe", "view", "stat"),
                    Set.of("rename", "mv", "move"),
                    Set.of("create", "add", "new", "make", "mk"),
                    Set.of("resize", "grow", "extend", "expand"),
                    Set.of("clone", "copy", "cp"),
                    Set.of("rollback", "revert", "reset"),
                    Set.of("serve", "start", "run", "daemon", "server"),
                    Set.of("stop", "halt", "end"),
                    Set.of("qemu-args", "attach", "connect", "qemu"),
                    Set.of("check", "verify", "fsck"),
                    Set.of("du", "usage", "df"),
                    Set.of("top", "iostat"),
                    Set.of("import", "upload"),
                    Set.of("export", "download"));

    private static final int SHOWN_MAX = 6;

    private CommandWords() {}

    /**
     * The arguments with {@code options}, each of which takes a value, behind the words of the
     * command that they stand before or between.
     *
     * @param root the command of the program
     */
    public static List<String> inFront(Class<?> root, List<String> arguments, Set<String> options) {
        List<String> words = new ArrayList<>();
        List<String> moved = new ArrayList<>();
        Class<?> command = root;
        int at = 0;
        while (command != null && at < arguments.size()) {
            String argument = arguments.get(at);
            int equals = argument.indexOf('=');
            String option = equals < 0 ? argument : argument.substring(0, equals);
            if (options.contains(option)) {
                int count = equals < 0 ? 2 : 1;
                moved.addAll(arguments.subList(at, Math.min(at + count, arguments.size())));
                at += count;
            } else {
                Subcommands below = command.getAnnotation(Subcommands.class);
                command = below == null ? null : CommandTree.find(below, argument);
                if (command != null) {
                    words.add(argument);
                    at++;
                }
            }
        }
        words.addAll(moved);
        words.addAll(arguments.subList(Math.min(at, arguments.size()), arguments.size()));
        return words;
    }

    /**
     * Commands that may be meant by a word that is none, as they are typed; the likeliest first.
     *
     * @param command that has no such command below it
     */
    static List<String> meant(CommandLine command, String word) {
        List<String> meant = new ArrayList<>();
        Map<String, CommandLine> below = shown(command);
        below.forEach((name, each) -> addIfMeant(name, each, word, meant));
        if (meant.isEmpty()) {
            // What is done first, and to what then.
            below.values()
                    .forEach(
                            group ->
                                    shown(group)
                                            .forEach(
                                                    (name, each) ->
                                                            addIfMeant(name, each, word, meant)));
        }
        return meant.stream().limit(SHOWN_MAX).toList();
    }

    private static Map<String, CommandLine> shown(CommandLine command) {
        Map<String, CommandLine> shown = new TreeMap<>();
        command.getSubcommands()
                .forEach(
                        (name, each) -> {
                            if (!each.getCommandSpec().usageMessage().hidden()) {
                                shown.put(name, each);
                            }
                        });
        return shown;
    }

    private static void addIfMeant(
            String name, CommandLine command, String word, List<String> meant) {
        boolean isMeant =
                name.equals(word)
                        || SYNONYMS.stream()
                                .anyMatch(set -> set.contains(name) && set.contains(word));
        if (isMeant) {
            meant.add(command.getCommandSpec().qualifiedName());
        }
    }
}
