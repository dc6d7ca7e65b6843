package io.quoin.replicate.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.wire.RecordingListener.Connected;
import io.quoin.replicate.wire.RecordingListener.Disconnected;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bricks whose process is stopped or killed. */
@Timeout(120)
class FrozenProcessTest {
    private final RecordingListener listener = new RecordingListener();
    private final WireBed bed = new WireBed(WireBed.FAST);
    private Process brick;

    @BeforeEach
    void start() throws IOException {
        brick =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "@" + System.getProperty("quoin.root") + "/bin/jvm.options",
                                "-Xmx64m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                BrickProgram.class.getName(),
                                WireBed.VOLUME.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
    }

    @AfterEach
    void stop() throws Exception {
        brick.destroyForcibly().waitFor();
        bed.close();
    }

    private BrickAddress address() throws IOException {
        BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(brick.getInputStream(), StandardCharsets.UTF_8));
        return BrickAddress.parse(out.readLine().split(" ", 2)[1]);
    }

    private void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, "" + brick.pid()).start();
        assertThat(kill.waitFor()).isZero();
    }

    @Test
    void shouldEndTheConnectionWhenTheProcessIsStoppedAndConnectWhenItGoesOn() throws Exception {
        bed.open(address(), WireBed.FAST, listener);
        listener.next(Connected.class);
        signal("STOP");
        assertThat(listener.next(Disconnected.class).reason()).startsWith("silent");
        signal("CONT");
        listener.next(Connected.class);
    }

    @Test
    void shouldEndTheConnectionWhenTheProcessIsKilled() throws Exception {
        bed.open(address(), WireBed.OPTIONS, listener);
        listener.next(Connected.class);
        brick.destroyForcibly().waitFor();
        listener.next(Disconnected.class);
        assertThat(listener.isEmpty()).isTrue();
    }
}
