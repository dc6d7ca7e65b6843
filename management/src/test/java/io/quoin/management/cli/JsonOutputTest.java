package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.daemon.Daemon;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** What commands print as JSON is of the forms of docs/json.md. */
@Timeout(180)
class JsonOutputTest {
    private final QuoinCommands quoin = new QuoinCommands();
    private final TreeSet<String> checked = new TreeSet<>();

    @AfterEach
    void removeTheFolder() {
        quoin.close();
    }

    @Test
    void shouldHaveAFormForEachCommandThatPrintsJson() throws IOException {
        JsonForms forms = new JsonForms();
        List<String> missing = new ArrayList<>();
        collect(QuoinCommand.commandLine(), forms, missing);
        assertThat(missing).isEmpty();
    }

    private static void collect(CommandLine command, JsonForms forms, List<String> missing) {
        String name = command.getCommandSpec().qualifiedName();
        boolean printsJson = command.getCommandSpec().findOption("--output") != null;
        if (printsJson && !forms.has(name)) {
            missing.add(name);
        }
        command.getSubcommands().values().forEach(below -> collect(below, forms, missing));
    }

    @Test
    void shouldPrintTheFormsThatThePageHas() throws IOException {
        JsonForms forms = new JsonForms();
        List<String> wrong = new ArrayList<>();
        try (Daemon service = quoin.serve()) {
            for (String line : commands()) {
                String[] words = words(line);
                JsonNode printed = quoin.json((Object[]) words);
                String command =
                        "quoin " + words[0] + (words[0].equals("status") ? "" : " " + words[1]);
                try {
                    forms.check(command, printed);
                } catch (AssertionError e) {
                    wrong.add(e.getMessage());
                }
                checked.add(command);
            }
            assertThat(service.disks()).isNotEmpty();
        }
        assertThat(wrong).isEmpty();
        assertThat(checked).hasSizeGreaterThan(50);
    }

    /** With a blank for each underscore, which no name here has. */
    private static String[] words(String line) {
        String[] words = line.split(" ", -1);
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i].replace('_', ' ');
        }
        return words;
    }

    private List<String> commands() throws IOException {
        Files.createDirectories(quoin.path("backup"));
        String file = quoin.path("out.qcow2").toString();
        String backup = quoin.path("backup").toString();
        String stream = quoin.path("stream").toString();
        String brick = quoin.path("brick").toString();
        return List.of(
                "disk create vm1 4M",
                "disk create vm2 4M",
                "status",
                "disk ls",
                "disk info vm1",
                "disk resize vm1 8M",
                "disk uri vm1",
                "disk qemu-args vm1",
                "disk xml vm1",
                "disk check vm1",
                "disk du vm1",
                "disk clone vm2 clone",
                "disk children vm2",
                "disk flatten clone",
                "disk rename clone copy",
                "disk export copy " + file,
                "disk import " + file + " imported",
                "snapshot create vm1@monday",
                "snapshot create vm1@tuesday",
                "snapshot ls vm1",
                "snapshot info vm1@monday",
                "snapshot diff vm1@monday vm1@tuesday",
                "backup export-diff vm1@monday vm1@tuesday " + stream,
                "snapshot rollback vm1@tuesday",
                "snapshot rename vm1@monday before",
                "snapshot rm vm1@before",
                "group create g vm1 vm2",
                "group add g copy",
                "group ls",
                "group rm g copy",
                "backup create vm1 --to " + backup + " --name first",
                "backup ls " + backup,
                "backup verify " + backup,
                "backup protect " + backup + " first",
                "backup restore " + backup + " first --as restored",
                "backup prune " + backup + " --keep-last 1",
                "schedule create nightly --cron 0_3_*_*_* --snapshot vm1",
                "schedule ls",
                "schedule show nightly",
                "schedule pause nightly",
                "schedule resume nightly",
                "schedule run nightly",
                "schedule rm nightly",
                "job ls --all",
                "disk rm copy",
                "trash ls",
                "trash restore copy",
                "disk rm copy",
                "trash purge copy",
                "config show",
                "volume create v " + brick + " force",
                "volume info v",
                "volume ls",
                "volume get v all",
                "volume start v",
                "volume status v",
                "volume stop v",
                "volume delete v");
    }
}
