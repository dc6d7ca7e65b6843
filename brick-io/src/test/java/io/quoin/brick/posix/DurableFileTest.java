package io.quoin.brick.posix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.brick.posix.CrashingFolder.PowerFailure;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DurableFileTest {
    private static final int OTHER_USER = 65534;
    private static final int STEPS_MAX = 20;

    @TempDir Path folder;

    /** Ends the power before each step in turn, then never; the last one's folder is returned. */
    private static CrashingFolder crashEverywhere(
            Map<String, String> files, Consumer<CrashingFolder> work, String... allowed) {
        for (int steps = 0; steps < STEPS_MAX; steps++) {
            CrashingFolder crashing = new CrashingFolder(steps, files);
            try {
                work.accept(crashing);
                return crashing;
            } catch (PowerFailure e) {
                assertThat(allowed)
                        .as("after %s steps", steps)
                        .containsAll(crashing.afterwards("x"));
            }
        }
        throw new AssertionError("never done");
    }

    @Test
    void shouldLeaveNothingOrAllWhenThePowerFailsWhileAFileIsCreated() {
        CrashingFolder done =
                crashEverywhere(
                        Map.of(),
                        crashing -> DurableFile.create(crashing, "x", "new".getBytes(UTF_8)),
                        "none",
                        "new");
        assertThat(done.afterwards("x")).isEqualTo(Set.of("new"));
        assertThat(done.namesNow()).isEqualTo(Set.of("x"));
    }

    @Test
    void shouldLeaveTheOldOrTheNewWhenThePowerFailsWhileAFileIsReplaced() {
        CrashingFolder done =
                crashEverywhere(
                        Map.of("x", "old"),
                        crashing -> {
                            crashing.make("whole");
                            crashing.write("whole", "new".getBytes(UTF_8));
                            DurableFile.replace(crashing, "whole", "x", () -> {});
                        },
                        "old",
                        "new");
        assertThat(done.afterwards("x")).isEqualTo(Set.of("new"));
    }

    @Test
    void shouldLeaveTheOldOrTheNewWhenThePowerFailsWhileAFileIsPut() {
        CrashingFolder done =
                crashEverywhere(
                        Map.of("x", "old"),
                        crashing -> DurableFile.write(crashing, "x", "new".getBytes(UTF_8), true),
                        "old",
                        "new");
        assertThat(done.afterwards("x")).isEqualTo(Set.of("new"));
        assertThat(done.namesNow()).isEqualTo(Set.of("x"));
    }

    @Test
    void shouldTakeItsFileAwayWhenThereIsOneOfThatName() {
        CrashingFolder taken = new CrashingFolder(STEPS_MAX, Map.of("x", "theirs"));
        assertThatThrownBy(() -> DurableFile.create(taken, "x", "new".getBytes(UTF_8)))
                .isInstanceOf(BlockException.class);
        assertThat(taken.namesNow()).isEqualTo(Set.of("x"));
        assertThat(taken.afterwards("x")).isEqualTo(Set.of("theirs"));
    }

    @Test
    void shouldMakeAFileForItsOwnerOnly() throws IOException {
        Path place = folder.resolve(NameText.path("\uDCE4.vol"));
        DurableFile.create(place, "text".getBytes(UTF_8));
        assertThat(place).hasContent("text");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(place)))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(place);
        }
    }

    @Test
    void shouldLeaveBothAloneWhenALinkHasTheName() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "secret");
        for (Path to : new Path[] {victim, folder.resolve("nothing")}) {
            Path link = Files.createSymbolicLink(folder.resolve("link"), to);
            assertThatThrownBy(() -> DurableFile.create(link, new byte[] {'x'}))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EEXIST));
            Files.delete(link);
        }
        assertThat(victim).hasContent("secret");
        assertThat(folder.resolve("nothing")).doesNotExist();
    }

    @Test
    void shouldSayWhenAFileIsInItsPlace() throws IOException {
        Path whole = Files.writeString(folder.resolve("whole"), "new");
        Path place = Files.writeString(folder.resolve("x"), "old");
        boolean[] placed = {false};
        DurableFile.replace(whole, place, () -> placed[0] = Files.notExists(whole));
        assertThat(placed[0]).isTrue();
        assertThat(place).hasContent("new");
        assertThatThrownBy(() -> DurableFile.replace(place, Path.of("/proc/x"), () -> {}))
                .hasMessageContaining("another folder");
    }

    @Test
    void shouldGiveWhatRootMakesToTheOwnerOfTheFolder() throws IOException {
        Assumptions.assumeTrue(SystemCalls.effectiveUser() == 0, "needs root");
        Files.setAttribute(folder, "unix:uid", OTHER_USER);
        Files.setAttribute(folder, "unix:gid", OTHER_USER);
        Path data = folder.resolve("data/brick");
        PrivateFolder.make(data);
        DurableFile.create(data.resolve("x"), new byte[0]);
        try (TestBrick brick = TestBrick.open(data)) {
            brick.create("disk", 1);
        }
        try (Stream<Path> all = Files.walk(folder)) {
            assertThat(all).hasSize(8).allSatisfy(DurableFileTest::assertGiven);
        }
    }

    private static void assertGiven(Path path) throws IOException {
        assertThat(Files.getAttribute(path, "unix:uid")).as("%s", path).isEqualTo(OTHER_USER);
        assertThat(Files.getAttribute(path, "unix:gid")).as("%s", path).isEqualTo(OTHER_USER);
    }

    /** A second name of a file of root's would be a gift of that file. */
    @Test
    void shouldNotGiveAwayWhatWasThereBefore() throws IOException {
        Assumptions.assumeTrue(SystemCalls.effectiveUser() == 0, "needs root");
        Path secret = Files.writeString(folder.resolve("secret"), "1\n");
        Path data = folder.resolve("brick");
        TestBrick.open(data).close();
        Files.setAttribute(data, "unix:uid", OTHER_USER);
        Files.delete(data.resolve(".quoin/lock"));
        Files.createLink(data.resolve(".quoin/lock"), secret);
        assertThatThrownBy(() -> TestBrick.open(data)).hasMessageContaining("move it away");
        assertThat(Files.getAttribute(secret, "unix:uid")).isEqualTo(0);
    }
}
