package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** Snapshots of several disks, and kept groups, by the command line. */
@Timeout(120)
class GroupCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketFolder folder = SocketFolder.create();
    private final String data = folder.resolve("data").toString();

    /** What a command printed and returned. */
    private record Outcome(int exitCode, String out, String err) {}

    @BeforeEach
    void makeDisks() {
        ok("disk", "create", "db-data", "10M");
        ok("disk", "create", "db-log", "20M");
    }

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldMakeListAndRemoveSnapshotsOfAGroup() throws IOException {
        assertThat(ok("snapshot", "create", "--group", "monday", "db-data", "db-log"))
                .isEqualTo("Created db-data@monday, 10 MiB\nCreated db-log@monday, 20 MiB\n");
        ok("snapshot", "create", "db-log@alone");
        assertThat(ok("snapshot", "ls").lines().map(line -> line.replaceAll(".* ", "")))
                .containsExactly("GROUP", "monday", "monday", "-");
        assertThat(ok("snapshot", "info", "db-log@monday"))
                .contains(
                        "group: monday\n",
                        "made with: db-data@monday, db-log@monday\n",
                        "consistency: as after a power failure\n");
        JsonNode listed = JSON.readTree(ok("snapshot", "ls", "db-data", "--output", "json"));
        assertThat(listed.get(0).path("group").asText()).hasSize(36);
        ok("snapshot", "rm", "db-data@monday");
        assertThat(ok("snapshot", "info", "db-log@monday")).contains("removed since: db-data\n");
        assertThat(ok("snapshot", "rm", "--group", "monday")).isEqualTo("Removed db-log@monday\n");
        assertThat(run("snapshot", "rm", "--group", "monday").err()).contains("name=monday");
        assertThat(ok("snapshot", "ls").lines()).hasSize(2);
    }

    @Test
    void shouldKeepGroupsOfDisks() {
        assertThat(ok("group", "create", "db", "db-data")).isEqualTo("db: db-data\n");
        assertThat(ok("group", "add", "db", "db-log")).isEqualTo("db: db-data db-log\n");
        assertThat(ok("snapshot", "create", "--group", "db@monday"))
                .contains("db-data@monday", "db-log@monday");
        assertThat(ok("snapshot", "create", "--group", "db")).containsPattern("db-log@2[0-9-]+T");
        assertThat(ok("group", "ls")).contains("db    db-data db-log");
        assertThat(ok("group", "rm", "db", "db-log")).isEqualTo("db: db-data\n");
        assertThat(ok("group", "rm", "db")).isEqualTo("db: no disks\n");
        assertThat(run("snapshot", "create", "--group", "db@x").err())
                .contains("no such group of disks: name=db");
    }

    @Test
    void shouldFreezeGuestsByCommandsAndSayWhetherTheyStoodStill() {
        Path log = folder.resolve("log");
        String frozen =
                ok(
                        "snapshot",
                        "create",
                        "db-data@one",
                        "--freeze-command",
                        "echo freeze >> " + log,
                        "--thaw-command",
                        "echo thaw >> " + log);
        assertThat(frozen).endsWith("All file systems of the guests stood still\n");
        assertThat(log).hasContent("freeze\nthaw");
        assertThat(ok("snapshot", "info", "db-data@one"))
                .contains("consistency: file systems stood still\n")
                .doesNotContain("group");
        Outcome half =
                run(
                        "snapshot",
                        "create",
                        "--group",
                        "two",
                        "db-data",
                        "db-log",
                        "--freeze",
                        folder.resolve("none.sock").toString(),
                        "--freeze-timeout",
                        "1");
        assertThat(half.exitCode()).isZero();
        assertThat(half.out()).contains("Created db-log@two", "Crash-consistent only");
        assertThat(half.err()).contains("guest not frozen: agent=");
        assertThat(ok("snapshot", "info", "db-log@two")).contains("as after a power failure");
    }

    @Test
    void shouldRefuseWhatDoesNotGoTogether() {
        refused("expected=no @", "--group", "a@b", "db-data");
        refused("several disks: --group NAME expected", "db-data", "db-log");
        refused("--all-disks and --group", "--all-disks", "--group", "a");
        refused("DISK or DISK@SNAPSHOT, or --all-disks, expected");
        assertThat(run("snapshot", "rm").exitCode()).isEqualTo(2);
        assertThat(run("snapshot", "create", "db-data", "--thaw-command", "true").err())
                .contains("counts=0 and 1");
        assertThat(
                        run("snapshot", "create", "--group", "a", "db-data", "--deadline", "20000")
                                .err())
                .contains("deadline", "1 to 10000");
    }

    private void refused(String words, String... arguments) {
        List<String> all = new ArrayList<>(List.of("snapshot", "create"));
        all.addAll(List.of(arguments));
        Outcome outcome = run(all.toArray(String[]::new));
        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains(words);
    }

    private String ok(String... arguments) {
        Outcome outcome = run(arguments);
        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        return outcome.out();
    }

    private Outcome run(String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--data", data));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = QuoinCommand.commandLine(arguments);
        command.setOut(new PrintWriter(out));
        command.setErr(new PrintWriter(err));
        int exitCode = command.execute(all.toArray(String[]::new));
        return new Outcome(exitCode, out.toString(), err.toString());
    }
}
