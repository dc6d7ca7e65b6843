package io.quoin.tools.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.tools.command.ImageCommand;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Which verbs of {@code quoin image} are made for a command line. */
class CommandTreeTest {
    private static Set<String> verbs(String... arguments) {
        return CommandTree.of(ImageCommand.class, arguments).getSubcommands().keySet();
    }

    @Test
    void shouldMakeTheCalledVerbAlone() {
        assertThat(verbs("check", "--repair", "leaks", "map")).containsExactly("check");
        assertThat(verbs("bitmap")).containsExactly("bitmap");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "chek", "-h", "", "check.qcow2"})
    void shouldMakeAllVerbsWhenNoneIsCalled(String argument) {
        assertThat(verbs(argument)).hasSize(11).containsAll(verbs());
        CommandLine misspelt = CommandTree.of(ImageCommand.class, argument);
        assertThat(misspelt.getUsageMessage()).contains("create", "measure", "check");
    }
}
