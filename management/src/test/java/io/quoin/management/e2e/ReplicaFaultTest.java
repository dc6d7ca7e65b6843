package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Replicated volumes over brick daemons under load, while daemons and gateway are killed, stopped
 * and cut off, all bricks of a volume are killed at once, and bricks lose what they had: no
 * acknowledged write is lost, no read is stale, no request waits for a brick that is not needed,
 * and once all is healed the bricks have the same bytes.
 *
 * <p>{@code -Dquoin.replication.minutes} says how long, {@code -Dquoin.replication.layouts} takes
 * some of {@code three,striped,arbiter,two}, {@code -Dquoin.seed} repeats a run's choices.
 */
@Tag("e2e")
@Timeout(value = 2, unit = TimeUnit.HOURS)
class ReplicaFaultTest {
    private static final long MINUTES = Long.getLong("quoin.replication.minutes", 0);
    private static final long STEP_MINUTES = 8;
    private static final long STALL_SECONDS = 60;

    @TempDir Path folder;

    private final long seed = Long.getLong("quoin.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final long began = System.nanoTime();
    private final List<String> timeline = new ArrayList<>();
    private final List<ReplicaBrick> bricks = new ArrayList<>();
    private final List<ReplicaVolume> volumes = new ArrayList<>();
    private final List<ReplicaFaults> faults = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private ReplicaGateway gateway;
    private int cycles;

    /** What is done for one volume. */
    private interface Step {
        void run(int volume) throws Exception;
    }

    @AfterEach
    void tearDown() throws Exception {
        for (ReplicaVolume volume : volumes) {
            volume.close();
        }
        if (gateway != null) {
            gateway.close();
        }
        for (ReplicaBrick brick : bricks) {
            brick.close();
        }
        threads.shutdownNow();
    }

    @Test
    void shouldLoseNothingAndHealWhateverFails() throws Exception {
        System.out.println("ReplicaFaultTest: minutes=" + MINUTES + ", -Dquoin.seed=" + seed);
        try {
            run();
        } catch (Exception | AssertionError failed) {
            print();
            throw failed;
        }
    }

    private void run() throws Exception {
        gateway = new ReplicaGateway();
        for (ReplicaShape shape : shapes()) {
            add(shape);
        }
        note("all volumes are served");
        do {
            cycle();
            cycles++;
            summary();
        } while (System.nanoTime() - began < TimeUnit.MINUTES.toNanos(MINUTES));
        volumes.forEach(ReplicaVolume::requireNoFault);
        ReplicaVolume.requireNoStack(gateway.log());
        requireNoError();
    }

    private void requireNoError() {
        assertThat(volumes.stream().flatMap(volume -> volume.guests().stream()))
                .allSatisfy(guest -> assertThat(guest.errors()).isEmpty());
    }

    private static List<ReplicaShape> shapes() {
        String names = System.getProperty("quoin.replication.layouts", "");
        return names.isEmpty()
                ? List.of(ReplicaShape.values())
                : Arrays.stream(names.split(","))
                        .map(name -> ReplicaShape.valueOf(name.toUpperCase(Locale.ROOT)))
                        .toList();
    }

    private void add(ReplicaShape shape) throws Exception {
        List<Future<ReplicaBrick>> starting = new ArrayList<>();
        for (int number = 0; number < shape.bricks(); number++) {
            Path own = Files.createDirectory(folder.resolve(shape.text() + "-" + number));
            int index = shape.index(number);
            starting.add(threads.submit(() -> new ReplicaBrick(own, index)));
        }
        List<ReplicaBrick> started = new ArrayList<>();
        for (Future<ReplicaBrick> each : starting) {
            started.add(each.get());
            bricks.add(each.get());
        }
        ReplicaVolume volume = new ReplicaVolume(shape, gateway, started, random.nextLong());
        volumes.add(volume);
        faults.add(new ReplicaFaults(volume, random.nextLong(), this::note));
    }

    /**
     * Faults that pass, and all bricks killed at once; then a loss; then the gateway; all healed
     * and equal after each.
     */
    private void cycle() throws Exception {
        onEach(
                volume -> {
                    faults.get(volume).passing();
                    volumes.get(volume).compare();
                    faults.get(volume).killAll();
                    volumes.get(volume).compare();
                });
        int shift = random.nextInt(ReplicaFaults.Loss.values().length);
        onEach(volume -> lose(volume, shift));
        restartGateway();
        onEach(
                volume -> {
                    volumes.get(volume).start();
                    volumes.get(volume).awaitProgress(STALL_SECONDS);
                    volumes.get(volume).compare();
                });
    }

    private void lose(int volume, int shift) throws Exception {
        ReplicaFaults.Loss[] all = ReplicaFaults.Loss.values();
        faults.get(volume).lose(all[(volume + cycles + shift) % all.length]);
    }

    private void restartGateway() throws Exception {
        if (random.nextInt(4) == 0) {
            note("SIGTERM of the gateway");
            gateway.stop();
        } else {
            note("SIGKILL of the gateway");
            gateway.kill();
        }
        for (ReplicaFaults each : faults) {
            each.whileTheGatewayIsAway();
        }
        gateway.start();
        note("the gateway is there again");
    }

    private void onEach(Step step) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < volumes.size(); i++) {
            int volume = i;
            running.add(
                    threads.submit(
                            () -> {
                                step.run(volume);
                                return null;
                            }));
        }
        for (Future<?> each : running) {
            try {
                each.get(STEP_MINUTES, TimeUnit.MINUTES);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof AssertionError failed) {
                    throw failed;
                }
                throw e;
            }
        }
    }

    private synchronized void note(String what) {
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
        timeline.add(String.format(Locale.ROOT, "%8.3f %s", millis / 1000.0, what));
    }

    private void summary() {
        note("cycles=" + cycles);
        System.out.println("ReplicaFaultTest: cycles=" + cycles);
        faults.forEach(each -> System.out.println("  " + each.summary()));
        volumes.forEach(
                volume ->
                        volume.guests()
                                .forEach(guest -> System.out.println("  " + guest.summary())));
    }

    private synchronized void print() {
        timeline.forEach(System.out::println);
        faults.forEach(each -> System.out.println(each.summary()));
        System.out.println("--- gateway\n" + gateway.log());
        for (ReplicaVolume volume : volumes) {
            for (ReplicaBrick brick : volume.bricks()) {
                System.out.println("--- " + brick.folder() + "\n" + brick.log());
            }
        }
    }
}
