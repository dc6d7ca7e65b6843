package io.quoin.management.cli;

import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.ProcessText;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.NameText;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quoin config}: the file of settings.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "config",
        description = "Show the settings of this machine.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Settings are in $QUOIN_CONFIG, else in /etc/quoin/quoin.toml for root and the owner of",
            "/var/lib/quoin, else in",
            "$XDG_CONFIG_HOME/quoin/quoin.toml or ~/.config/quoin/quoin.toml: data and volume for all",
            "commands, and the options of quoin serve below [serve]. What is given with a command wins.",
            "",
            "Example:",
            "  quoin config show"
        })
@Subcommands(ConfigCommand.Show.class)
final class ConfigCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** {@code quoin config show}. */
    @Command(
            name = "show",
            description = "Show each setting, what it is, and where that comes from.",
            mixinStandardHelpOptions = true,
            footer = {"", "Examples:", "  quoin config show", "  quoin config show --output json"})
    static final class Show implements Runnable {
        private static final Pattern DEFAULT = Pattern.compile("\\(default: (.*)\\)$");
        private static final String BUILT_IN = "default";

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private OutputOption output;

        /**
         * A setting.
         *
         * @param value null for none
         * @param from a file, a variable of the environment, or {@code default}
         */
        private record Setting(String name, @Nullable String value, String from) {}

        /** What is shown. */
        private record Settings(String file, boolean isThere, List<Setting> settings) {}

        @Override
        public void run() {
            ConfigFile file = ConfigFile.read();
            ServeSettings serve = new ServeSettings();
            file.requireKnown(serve.options().keySet());
            List<Setting> settings = new ArrayList<>();
            settings.add(data(file));
            settings.add(volume(file));
            serve.options().forEach((name, option) -> settings.add(setting(name, option, file)));
            String path = NameText.of(file.path());
            Settings all = new Settings(path, Files.exists(file.path()), settings);
            output.print(
                    all,
                    out -> {
                        out.println("file: " + path + (all.isThere() ? "" : ", not there"));
                        Table table = new Table("SETTING", "VALUE", "FROM");
                        for (Setting each : settings) {
                            String value = each.value();
                            table.row(each.name(), value == null ? "-" : value, each.from());
                        }
                        table.print(out);
                    });
        }

        private static Setting data(ConfigFile file) {
            String value = DataFolder.choose(null, file::data).text();
            String from = file.data() == null ? BUILT_IN : NameText.of(file.path());
            return new Setting(ConfigFile.DATA, value, isSet(DataFolder.ENVIRONMENT, from));
        }

        private static Setting volume(ConfigFile file) {
            String own = ProcessText.environment().getOrDefault(DataOption.VOLUME_ENVIRONMENT, "");
            String from = file.volume() == null ? BUILT_IN : NameText.of(file.path());
            return new Setting(
                    ConfigFile.VOLUME,
                    own.isEmpty() ? file.volume() : own,
                    isSet(DataOption.VOLUME_ENVIRONMENT, from));
        }

        private static String isSet(String variable, String otherwise) {
            boolean isSet = !ProcessText.environment().getOrDefault(variable, "").isEmpty();
            return isSet ? "$" + variable : otherwise;
        }

        private static Setting setting(String option, OptionSpec spec, ConfigFile file) {
            List<String> arguments = file.arguments(option, ServeSettings.isSwitch(spec));
            String name = ConfigFile.SERVE + '.' + option.substring(2);
            if (arguments.isEmpty()) {
                return new Setting(name, byDefault(spec), BUILT_IN);
            }
            String value =
                    ServeSettings.isSwitch(spec)
                            ? "true"
                            : arguments.stream()
                                    .map(each -> each.substring(option.length() + 1))
                                    .collect(Collectors.joining(", "));
            return new Setting(name, value, NameText.of(file.path()));
        }

        /** As the help has it, where it is not one value for all. */
        private static @Nullable String byDefault(OptionSpec option) {
            if (ServeSettings.isSwitch(option)) {
                return "false";
            }
            Matcher described = DEFAULT.matcher(String.join(" ", option.description()));
            return described.find() ? described.group(1) : null;
        }
    }
}
