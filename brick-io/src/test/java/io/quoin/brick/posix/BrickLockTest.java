package io.quoin.brick.posix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BrickLockTest {
    @TempDir Path folder;

    /** A process that holds a brick until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws InterruptedException {
            TestBrick.open(Path.of(arguments[0]));
            System.out.println("held");
            Thread.sleep(TimeUnit.MINUTES.toMillis(2)); // ended by the test, or by itself
        }
    }

    private static void assertBusy(Path data, long pid) {
        assertThatThrownBy(() -> TestBrick.open(data))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY))
                .hasMessageContaining(data.toString())
                .hasMessageEndingWith("pid=" + pid);
    }

    @Test
    void shouldRefuseTheFolderWhenThisProcessHasIt() throws IOException {
        Path data = folder.resolve("brick");
        long pid = ProcessHandle.current().pid();
        try (TestBrick first = TestBrick.open(data)) {
            assertBusy(data, pid);
            assertBusy(Files.createSymbolicLink(folder.resolve("alias"), data), pid);
            first.create("still-works", 1);
        }
        TestBrick.open(data).close();
    }

    @Test
    void shouldRefuseTheFolderUntilItsHolderIsKilled() throws Exception {
        Path data = folder.resolve("brick");
        Process holder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "@" + Path.of(System.getProperty("quoin.root"), "bin/jvm.options"),
                                "-Xmx64m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Holder.class.getName(),
                                data.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(holder.getInputStream(), UTF_8))) {
            assertThat(output.readLine()).isEqualTo("held");
            assertBusy(data, holder.pid());
            holder.destroyForcibly().waitFor();
            TestBrick.open(data).close();
        } finally {
            holder.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"precious text", "1234567890123456789012345678901234567890\n"})
    void shouldLeaveAFileAloneWhenItIsNoLock(String content) throws IOException {
        Path data = folder.resolve("brick");
        Path lock = Files.createDirectories(data.resolve(".quoin")).resolve("lock");
        Files.writeString(lock, content);
        assertThatThrownBy(() -> TestBrick.open(data))
                .hasMessageContaining("something else is where a file of the brick should be");
        assertThat(lock).hasContent(content);
    }

    @Test
    void shouldFollowNoLinkToALock() throws IOException {
        Path victim = Files.writeString(folder.resolve("lock"), "1\n");
        Path data = Files.createDirectories(folder.resolve("brick"));
        Files.createSymbolicLink(data.resolve(".quoin"), folder);
        assertThatThrownBy(() -> TestBrick.open(data)).isInstanceOf(BlockException.class);
        TestBrick.open(data, Map.of("brick", "off")).close(); // and so it is no brick
        Files.delete(data.resolve(".quoin"));
        Files.createDirectories(data.resolve(".quoin"));
        Files.createSymbolicLink(data.resolve(".quoin/lock"), victim);
        assertThatThrownBy(() -> TestBrick.open(data)).isInstanceOf(BlockException.class);
        assertThat(victim).hasContent("1\n");
    }

    @Test
    void shouldRemoveWhatWasInTheMakingWhenItsProcessEnded() throws IOException {
        Path data = folder.resolve("brick");
        TestBrick.open(data).close();
        Path left = Files.createFile(data.resolve(".quoin-new-7-0123456789abcdef-image-1"));
        Path other = Files.createFile(data.resolve(".quoin-new-7-x"));
        TestBrick.open(data).close();
        assertThat(left).doesNotExist();
        assertThat(other).exists();
    }
}
