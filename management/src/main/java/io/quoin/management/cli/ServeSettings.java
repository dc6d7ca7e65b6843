package io.quoin.management.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options of {@code quoin serve} that the file of settings may have: all but those that every
 * command has, and those that end it at once.
 *
 * <p>Threading: confined to the main thread.
 */
final class ServeSettings {
    private static final List<String> OTHERS =
            List.of("--data", "--volume", "--output", "--help", "--version");

    private final Map<String, OptionSpec> options = new TreeMap<>();

    ServeSettings() {
        for (OptionSpec each : new CommandLine(ServeCommand.class).getCommandSpec().options()) {
            if (!OTHERS.contains(each.longestName())) {
                options.put(each.longestName(), each);
            }
        }
    }

    /** By name, as {@code --listen}. */
    Map<String, OptionSpec> options() {
        return options;
    }

    /** Whether it stands alone. */
    static boolean isSwitch(OptionSpec option) {
        return option.arity().max() == 0;
    }

    /**
     * The arguments of the program with what the file has for those options of {@code serve} that
     * are not among them.
     */
    static String[] apply(List<String> given, ConfigFile file) {
        ServeSettings settings = new ServeSettings();
        file.requireKnown(settings.options.keySet());
        List<String> all = new ArrayList<>(given.subList(0, 1));
        settings.options.forEach(
                (name, option) -> {
                    if (given.stream().noneMatch(text -> isOption(text, name))) {
                        all.addAll(file.arguments(name, isSwitch(option)));
                    }
                });
        all.addAll(given.subList(1, given.size()));
        return all.toArray(new String[0]);
    }

    private static boolean isOption(String argument, String name) {
        return argument.equals(name) || argument.startsWith(name + '=');
    }
}
