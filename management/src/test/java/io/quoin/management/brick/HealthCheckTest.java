package io.quoin.management.brick;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HealthCheckTest {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration SHORT = Duration.ofMillis(50);

    @TempDir Path folder;

    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final List<HealthCheck> checks = new ArrayList<>();
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> probed = new LinkedBlockingQueue<>();

    @AfterEach
    void close() {
        checks.forEach(HealthCheck::close);
        loops.close();
    }

    private void start(HealthCheck.Probe probe, Duration timeout) {
        HealthCheck check = new HealthCheck(probe, loops.next(), timeout, told::add);
        checks.add(check);
        check.start(Duration.ofMillis(5));
    }

    @Test
    void shouldTryAgainAndAgainWhenTheFolderWorks() throws Exception {
        FolderProbe probe =
                new FolderProbe(Files.createDirectories(folder.resolve(".quoin")).getParent());
        start(
                number -> {
                    if (number <= 5) {
                        probe.run(number);
                        probed.add(number);
                    }
                },
                LONG);
        for (long number = 1; number <= 5; number++) {
            assertThat(probed.poll(30, TimeUnit.SECONDS)).isEqualTo(number);
        }
        assertThat(told).isEmpty();
        assertThat(folder.resolve(".quoin").resolve("health-check")).doesNotExist();
    }

    @Test
    void shouldTellOnceWhenTheFolderIsGone() throws Exception {
        FolderProbe probe = new FolderProbe(folder);
        start(
                number -> {
                    probed.add(number);
                    probe.run(number);
                },
                LONG);
        assertThat(told.poll(30, TimeUnit.SECONDS)).contains("no such file or folder");
        for (int i = 0; i < 3; i++) {
            assertThat(probed.poll(30, TimeUnit.SECONDS)).isNotNull();
        }
        assertThat(told).isEmpty();
    }

    @Test
    void shouldTellWhenTheStorageDoesNotAnswer() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        start(
                number -> {
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                },
                SHORT);
        assertThat(told.poll(30, TimeUnit.SECONDS)).contains("no answer within 50 ms");
        never.countDown();
    }

    @Test
    void shouldGoOnWhenTheDiskIsFull() throws Exception {
        start(
                number -> {
                    probed.add(number);
                    throw new IOException("No space left on device");
                },
                LONG);
        for (int i = 0; i < 3; i++) {
            assertThat(probed.poll(30, TimeUnit.SECONDS)).isNotNull();
        }
        assertThat(told).isEmpty();
    }
}
