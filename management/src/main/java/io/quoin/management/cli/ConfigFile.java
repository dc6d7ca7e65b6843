package io.quoin.management.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.dataformat.toml.TomlMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.ProcessText;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file of settings, in TOML: {@code data} and {@code volume} for all commands, and below {@code
 * [serve]} the options of that command by their long names. What is given with a command wins, then
 * the environment, then this file.
 *
 * <p>Threading: immutable.
 *
 * @param path where it is, or would be
 * @param root its content; empty where there is no file
 */
record ConfigFile(Path path, JsonNode root) {
    /** Names another file; empty for none. */
    static final String ENVIRONMENT = "QUOIN_CONFIG";

    static final String DATA = "data";
    static final String VOLUME = "volume";
    static final String SERVE = "serve";

    private static final String NAME = "quoin.toml";

    /** Where systemd says that a service has its settings (ConfigurationDirectory). */
    private static final String OF_SERVICE = "CONFIGURATION_DIRECTORY";

    private static final Path OF_ROOT = Path.of("/etc/quoin/quoin.toml");

    /**
     * That of this process.
     *
     * @throws BlockException EINVAL naming what is wrong in it, ENOENT if one that is named in the
     *     environment is not there
     */
    static ConfigFile read() {
        Map<String, String> environment = ProcessText.environment();
        String named = environment.get(ENVIRONMENT);
        if (named != null) {
            return named.isEmpty()
                    ? new ConfigFile(OF_ROOT, nothing())
                    : read(NameText.path(named), true);
        }
        String ofService = environment.getOrDefault(OF_SERVICE, "");
        if (ofService.startsWith("/") && !ofService.contains(":")) {
            return read(NameText.path(ofService).resolve(NAME), false);
        }
        if (DataFolder.isSystem()) {
            return read(OF_ROOT, false);
        }
        String xdg = environment.getOrDefault("XDG_CONFIG_HOME", "");
        Path folder =
                xdg.startsWith("/") ? NameText.path(xdg) : DataFolder.home().resolve(".config");
        return read(folder.resolve("quoin").resolve(NAME), false);
    }

    /**
     * @param isNamed whether it has to be there
     */
    static ConfigFile read(Path path, boolean isNamed) {
        try {
            byte[] text =
                    Files.readAllBytes(path); // before anything is loaded for one that is there
            return checked(new ConfigFile(path, new TomlMapper().readTree(text)));
        } catch (NoSuchFileException e) {
            if (isNamed) {
                throw Reason.failure("cannot read the settings", NameText.of(path), e);
            }
            return new ConfigFile(path, nothing());
        } catch (JacksonException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "settings are no TOML: file="
                            + NameText.of(path)
                            + ", line="
                            + e.getLocation().getLineNr()
                            + ", reason="
                            + e.getOriginalMessage(),
                    e);
        } catch (IOException e) {
            throw Reason.failure("cannot read the settings", NameText.of(path), e);
        }
    }

    private static JsonNode nothing() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static ConfigFile checked(ConfigFile file) {
        for (Map.Entry<String, JsonNode> setting : file.root.properties()) {
            String name = setting.getKey();
            boolean isTable = name.equals(SERVE);
            if (!isTable && !name.equals(DATA) && !name.equals(VOLUME)) {
                throw file.wrong(NearestName.unknown("setting", name, Set.of(DATA, VOLUME, SERVE)));
            }
            if (isTable ? !setting.getValue().isObject() : !setting.getValue().isTextual()) {
                throw file.wrong(
                        "illegal setting: name="
                                + name
                                + ", expected="
                                + (isTable ? "a table, as in [serve]" : "a text in quotes"));
            }
        }
        return file;
    }

    private BlockException wrong(String message) {
        return new BlockException(BlockError.EINVAL, message + "; file=" + NameText.of(path));
    }

    /** The folder of all commands; null where it has none. */
    @Nullable Path data() {
        String text = root.path(DATA).textValue();
        if (text != null && !text.startsWith("/")) {
            throw wrong("illegal setting: name=" + DATA + ", expected=an absolute path");
        }
        return text == null ? null : NameText.path(text);
    }

    /** The volume of names without one; null where it has none. */
    @Nullable String volume() {
        return root.path(VOLUME).textValue();
    }

    /**
     * A setting of {@code quoin serve} as arguments of it; none where there is none.
     *
     * @param option as {@code --listen}
     * @param isSwitch whether the option has no value
     */
    List<String> arguments(String option, boolean isSwitch) {
        String name = option.substring(2);
        JsonNode value = root.path(SERVE).path(name);
        List<String> arguments = new ArrayList<>();
        if (isSwitch && !value.isMissingNode()) {
            if (!value.isBoolean()) {
                throw wrongValue(name, "true or false");
            }
            if (value.booleanValue()) {
                arguments.add(option);
            }
        } else if (value.isArray()) {
            value.forEach(each -> arguments.add(option + '=' + plain(name, each)));
        } else if (value.isObject()) {
            for (Map.Entry<String, JsonNode> each : value.properties()) {
                arguments.add(option + '=' + each.getKey() + '=' + plain(name, each.getValue()));
            }
        } else if (!value.isMissingNode()) {
            arguments.add(option + '=' + plain(name, value));
        }
        return arguments;
    }

    private String plain(String name, JsonNode value) {
        if (!value.isTextual() && !value.isIntegralNumber()) {
            throw wrongValue(name, "a text in quotes, or a whole number");
        }
        return value.asText();
    }

    private BlockException wrongValue(String name, String expected) {
        return wrong("illegal setting: name=" + SERVE + '.' + name + ", expected=" + expected);
    }

    /**
     * Fails for settings of {@code quoin serve} that are none.
     *
     * @param options the long names of all, as {@code --listen}
     */
    void requireKnown(Set<String> options) {
        for (Map.Entry<String, JsonNode> setting : root.path(SERVE).properties()) {
            if (!options.contains("--" + setting.getKey())) {
                throw wrong(
                        NearestName.unknown(
                                "setting of [serve]",
                                setting.getKey(),
                                options.stream().map(option -> option.substring(2)).toList()));
            }
        }
    }
}
