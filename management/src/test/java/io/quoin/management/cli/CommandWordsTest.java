package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.tools.terminal.CommandWords;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

@Timeout(20)
class CommandWordsTest {
    private static String failure(int exitCode, String... arguments) {
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setErr(new PrintWriter(err));
        assertThat(command.execute(arguments)).isEqualTo(exitCode);
        return err.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "disk delete vm1    | quoin disk delete | did you mean: quoin disk rm?",
                "disk list          | quoin disk list   | did you mean: quoin disk ls?",
                "disk show vm1      | quoin disk show   | did you mean: quoin disk info?",
                "disk mv vm1 vm2    | quoin disk mv     | did you mean: quoin disk rename?",
                "snapshot remove a  | quoin snapshot remove | did you mean: quoin snapshot rm?",
                "list               | quoin list        | quoin disk ls, ",
                "create vm1 10G     | quoin create      | quoin disk create, ",
                "start              | quoin start       | did you mean: quoin serve?"
            })
    void shouldSuggestTheRightCommandForWordsThatPeopleType(
            String line, String unknown, String meant) {
        assertThat(failure(2, line.strip().split(" +", -1)))
                .startsWith("quoin: unknown command: " + unknown.strip() + "; did you mean: ")
                .contains(meant.strip());
    }

    @Test
    void shouldListTheCommandsWhenThereIsNone() {
        assertThat(failure(2)).contains("command missing", "Commands:", "  serve", "  disk");
        assertThat(failure(2, "disk")).contains("Commands:", "  create", "  rename");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--data D disk ls                  | disk ls --data D",
                "--data=D disk ls                  | disk ls --data=D",
                "disk --data D create vm1 1G       | disk create --data D vm1 1G",
                "--output json --data D status     | status --output json --data D",
                "disk create --data D vm1 1G       | disk create --data D vm1 1G",
                "disk ls --data                    | disk ls --data",
                "--data                            | --data",
                "--data D                          | --data D",
                "--dat D disk ls                   | --dat D disk ls",
                "disk rm -- --data                 | disk rm -- --data"
            })
    void shouldPutOptionsThatStandInFrontBehindTheCommand(String typed, String meant) {
        assertThat(
                        CommandWords.inFront(
                                QuoinCommand.class,
                                List.of(typed.strip().split(" +", -1)),
                                Set.of("--data", "--volume", "--output")))
                .containsExactly(meant.strip().split(" +", -1));
    }

    @Test
    void shouldTellFailuresAsJsonWhereResultsAreJson() throws Exception {
        JsonNode failed =
                new ObjectMapper()
                        .readTree(
                                failure(1, "disk", "ls", "--data", "/nowhere", "--output", "json"));
        assertThat(failed.path("error").asText()).isEqualTo("ENOENT");
        assertThat(failed.path("message").asText()).contains("path=/nowhere");

        JsonNode wrong =
                new ObjectMapper().readTree(failure(2, "disk", "create", "vm1", "--output=json"));
        assertThat(wrong.path("error").asText()).isEqualTo("EINVAL");
        assertThat(wrong.path("message").asText()).contains("SIZE");
    }
}
