package io.quoin.management.cli;

import io.quoin.management.log.JsonLogProvider;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * {@code --log-level} and {@code --log-format} of services. They are looked for among the arguments
 * before anything else, since the first logger that is made decides.
 *
 * <p>Threading: confined to the main thread.
 */
final class LogOption {
    private static final String LEVEL_PROPERTY = "org.slf4j.simpleLogger.defaultLogLevel";
    private static final String PROVIDER_PROPERTY = "slf4j.provider";
    private static final String LEVEL = "--log-level";
    private static final String FORMAT = "--log-format";

    /** What is told at least. */
    enum LogLevel {
        trace,
        debug,
        info,
        warn,
        error
    }

    /** How lines look. */
    enum LogFormat {
        text,
        json
    }

    @Option(
            names = LEVEL,
            paramLabel = "LEVEL",
            description = "what the log tells at least: ${COMPLETION-CANDIDATES} (default: info)")
    @SuppressWarnings("UnusedVariable") // picocli refuses what is illegal; apply() has read it
    private @Nullable LogLevel level;

    @Option(
            names = FORMAT,
            paramLabel = "FORMAT",
            description = "lines of the log: ${COMPLETION-CANDIDATES} (default: text)")
    @SuppressWarnings("UnusedVariable") // as above
    private @Nullable LogFormat format;

    /**
     * To be called before the first logger is made.
     *
     * @param arguments of a service; what is illegal in them is told later
     */
    static void apply(List<String> arguments) {
        String given = value(LEVEL, arguments);
        String wanted = given == null ? "" : given.toLowerCase(Locale.ROOT);
        if (List.of(LogLevel.values()).stream().anyMatch(each -> each.name().equals(wanted))) {
            System.setProperty(LEVEL_PROPERTY, wanted);
        } else if (System.getProperty(LEVEL_PROPERTY) == null) {
            System.setProperty(LEVEL_PROPERTY, LogLevel.info.name());
        }
        String form = value(FORMAT, arguments);
        if (LogFormat.json.name().equalsIgnoreCase(form)) {
            System.setProperty(PROVIDER_PROPERTY, JsonLogProvider.class.getName());
            // Else it says in a line of text that it was told which one to take.
            System.setProperty("slf4j.internal.verbosity", "WARN");
        }
    }

    private static @Nullable String value(String option, List<String> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (argument.startsWith(option + '=')) {
                return argument.substring(option.length() + 1);
            }
            if (argument.equals(option) && i + 1 < arguments.size()) {
                return arguments.get(i + 1);
            }
        }
        return null;
    }
}
