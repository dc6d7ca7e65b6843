package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.DiskLoad;
import io.quoin.management.operation.Status;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeView;
import io.quoin.management.volume.DataFolder;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code quoin disk top}: what goes by, disk by disk.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "top",
        description = "Show what attached disks do: requests and bytes a second, latency, queue.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "LATENCY is the mean of the requests that ended in the interval; QUEUE are requests over",
            "NBD that are not answered at its end. Disks that are not attached are left out.",
            "",
            "Examples:",
            "  quoin disk top",
            "  quoin disk top --interval 5 --count 1 --output json"
        })
final class DiskTopCommand implements Runnable {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double MICROS_PER_MILLI = 1000;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            description = "how long is counted each time (default: ${DEFAULT-VALUE})",
            defaultValue = "2")
    private double intervalSeconds;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "how many times (default: until it is interrupted)")
    private @Nullable Integer count;

    /**
     * A disk in an interval; of JSON the form too.
     *
     * @param latencyMicros mean of what ended; 0 if nothing did
     */
    private record Rate(
            String disk,
            double readsPerSecond,
            double writesPerSecond,
            double readBytesPerSecond,
            double writeBytesPerSecond,
            double latencyMicros,
            int queue) {}

    /** What was counted at one moment, by disk. */
    private record Counted(
            long nanos, Map<String, List<DiskLoad>> loads, Map<String, Integer> queues) {}

    @Override
    public void run() {
        Counted before = counted();
        for (int i = 0; count == null || i < count; i++) {
            pause();
            Counted now = counted();
            List<Rate> rates = rates(before, now);
            output.print(rates, out -> table(rates).print(out));
            if (!output.isJson()) {
                output.out().println();
                output.out().flush();
            }
            before = now;
        }
    }

    private Counted counted() {
        StatusView all = status(data.volume());
        Map<String, List<DiskLoad>> loads = new TreeMap<>();
        for (VolumeView volume : all.volumes()) {
            boolean isWanted = data.volume() == null || volume.name().equals(data.volume());
            if (volume.isOpen() && isWanted) {
                String prefix = DiskAddress.prefix(volume.name());
                for (DiskLoad load : DiskLoad.of(status(volume.name()).statistics())) {
                    loads.computeIfAbsent(prefix + load.disk(), disk -> new ArrayList<>())
                            .add(load);
                }
            }
        }
        Map<String, Integer> queues = new TreeMap<>();
        all.clients()
                .forEach(client -> queues.merge(client.disk(), client.inFlight(), Integer::sum));
        return new Counted(System.nanoTime(), loads, queues);
    }

    private StatusView status(@Nullable String volume) {
        DataFolder folder = data.folder();
        try (ControlClient client =
                ControlClient.connect(folder, volume)
                        .orElseThrow(() -> StatusCommand.notServed(folder))) {
            return client.call(Status.TYPE, new Status.Request());
        }
    }

    private void pause() {
        try {
            TimeUnit.NANOSECONDS.sleep((long) (intervalSeconds * NANOS_PER_SECOND));
        } catch (InterruptedException e) {
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    private static List<Rate> rates(Counted before, Counted now) {
        double seconds = (now.nanos() - before.nanos()) / NANOS_PER_SECOND;
        List<Rate> rates = new ArrayList<>();
        now.loads()
                .forEach(
                        (disk, loads) ->
                                rates.add(
                                        rate(
                                                disk,
                                                before.loads().getOrDefault(disk, List.of()),
                                                loads,
                                                seconds,
                                                now.queues().getOrDefault(disk, 0))));
        return rates;
    }

    private static Rate rate(
            String disk, List<DiskLoad> before, List<DiskLoad> now, double seconds, int queue) {
        double reads = 0;
        double writes = 0;
        double readBytes = 0;
        double writtenBytes = 0;
        double micros = 0;
        double ended = 0;
        for (DiskLoad load : now) {
            DiskLoad last = last(load, before);
            double count = load.count() - (last == null ? 0 : last.count());
            double bytes = load.bytes() - (last == null ? 0 : last.bytes());
            ended += count;
            micros += load.totalMicros() - (last == null ? 0 : last.totalMicros());
            if (load.operation().equals("read")) {
                reads += count;
                readBytes += bytes;
            } else if (load.operation().startsWith("write")) {
                writes += count;
                writtenBytes += bytes;
            }
        }
        return new Rate(
                disk,
                reads / seconds,
                writes / seconds,
                readBytes / seconds,
                writtenBytes / seconds,
                ended > 0 ? Math.max(0, micros) / ended : 0,
                queue);
    }

    /** The same before; null for the first of its kind, and where the disk was closed meanwhile. */
    private static @Nullable DiskLoad last(DiskLoad load, List<DiskLoad> before) {
        for (DiskLoad each : before) {
            if (each.operation().equals(load.operation()) && each.count() <= load.count()) {
                return each;
            }
        }
        return null;
    }

    private static Table table(List<Rate> rates) {
        Table table =
                new Table("DISK", ">READ/S", ">WRITE/S", ">READ", ">WRITTEN", ">LATENCY", ">QUEUE");
        for (Rate rate : rates) {
            table.row(
                    rate.disk(),
                    String.format(Locale.ROOT, "%.0f", rate.readsPerSecond()),
                    String.format(Locale.ROOT, "%.0f", rate.writesPerSecond()),
                    ByteSize.human((long) rate.readBytesPerSecond()) + "/s",
                    ByteSize.human((long) rate.writeBytesPerSecond()) + "/s",
                    time(rate.latencyMicros()),
                    rate.queue());
        }
        return table;
    }

    private static String time(double micros) {
        return micros < MICROS_PER_MILLI
                ? String.format(Locale.ROOT, "%.0f us", micros)
                : String.format(Locale.ROOT, "%.1f ms", micros / MICROS_PER_MILLI);
    }
}
