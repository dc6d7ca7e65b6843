package io.quoin.management.http;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.DiskLoad;
import io.quoin.management.operation.MemoryView;
import io.quoin.management.operation.StatusView;
import io.quoin.management.volume.DiskView;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a service has counted, in Prometheus' text format. Counters of a disk begin anew when it is
 * attached after it had been closed.
 *
 * <p>Threading: confined to its thread.
 */
final class Metrics {
    static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private static final double MICROS = 1e-6;

    private final Map<String, GaugeSnapshot.Builder> gauges = new LinkedHashMap<>();
    private final Map<String, CounterSnapshot.Builder> counters = new LinkedHashMap<>();

    private Metrics() {}

    /**
     * All of them.
     *
     * @param all of the service
     * @param volumes the same of each open volume, by its name
     */
    static String text(StatusView all, Map<String, StatusView> volumes) {
        Metrics metrics = new Metrics();
        metrics.addService(all);
        volumes.forEach(metrics::addDisks);
        return metrics.written();
    }

    private void addService(StatusView status) {
        gauge("info", "What is running.", 1, Labels.of("version", status.version()));
        gauge("uptime_seconds", "Since when.", status.uptimeSeconds(), Labels.EMPTY);
        counter(
                "unexpected_failures",
                "Exceptions that nothing was prepared for.",
                status.uncaughtFailures(),
                Labels.EMPTY);
        for (MemoryView.Use use : status.memory().uses()) {
            Labels labels = Labels.of("use", use.name());
            gauge("memory_used_bytes", "Memory in use.", use.usedBytes(), labels);
            gauge("memory_limit_bytes", "Memory that may be used.", use.limitBytes(), labels);
        }
        for (StatusView.Brick brick : status.bricks()) {
            Labels labels = Labels.of("brick", brick.name(), "directory", brick.directory());
            gauge("brick_size_bytes", "File system of a brick.", brick.sizeBytes(), labels);
            gauge("brick_available_bytes", "What is left there.", brick.availableBytes(), labels);
        }
        status.volumes()
                .forEach(
                        volume ->
                                gauge(
                                        "volume_open",
                                        "Whether the disks of a volume are served.",
                                        volume.isOpen() ? 1 : 0,
                                        Labels.of("volume", volume.name())));
        for (DiskView disk : status.disks()) {
            Labels labels = Labels.of("disk", disk.name());
            gauge("disk_size_bytes", "What the guest sees.", disk.sizeBytes(), labels);
            gauge("disk_allocated_bytes", "What its image takes.", disk.allocatedBytes(), labels);
            gauge("disk_connections", "What is attached to it.", disk.connections(), labels);
            int waiting =
                    status.clients().stream()
                            .filter(client -> client.disk().equals(disk.name()))
                            .mapToInt(StatusView.Client::inFlight)
                            .sum();
            gauge("disk_requests_in_flight", "Not answered yet.", waiting, labels);
        }
    }

    private void addDisks(String volume, StatusView status) {
        for (DiskLoad load : DiskLoad.of(status.statistics())) {
            String disk = DiskAddress.prefix(volume) + load.disk();
            Labels labels = Labels.of("disk", disk, "operation", load.operation());
            counter("disk_requests", "Requests that have ended.", load.count(), labels);
            counter("disk_bytes", "Bytes of those that ended well.", load.bytes(), labels);
            counter("disk_errors", "Requests that failed.", load.errors(), labels);
            counter(
                    "disk_request_seconds",
                    "Time that requests have taken, together.",
                    load.totalMicros() * MICROS,
                    labels);
            load.quantileMicros()
                    .forEach(
                            (quantile, micros) ->
                                    gauge(
                                            "disk_request_latency_seconds",
                                            "Time that all but a part of the requests took at most.",
                                            micros * MICROS,
                                            labels.add("quantile", quantile)));
        }
    }

    private void gauge(String name, String help, long value, Labels labels) {
        gauge(name, help, (double) value, labels);
    }

    private void counter(String name, String help, long value, Labels labels) {
        counter(name, help, (double) value, labels);
    }

    private void gauge(String name, String help, double value, Labels labels) {
        gauges.computeIfAbsent(
                        name, any -> GaugeSnapshot.builder().name("quoin_" + name).help(help))
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).labels(labels).build());
    }

    private void counter(String name, String help, double value, Labels labels) {
        counters.computeIfAbsent(
                        name, any -> CounterSnapshot.builder().name("quoin_" + name).help(help))
                .dataPoint(CounterDataPointSnapshot.builder().value(value).labels(labels).build());
    }

    private String written() {
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        gauges.values().forEach(each -> all.metricSnapshot(built(each)));
        counters.values().forEach(each -> all.metricSnapshot(built(each)));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try {
            PrometheusTextFormatWriter.create().write(text, all.build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    private static MetricSnapshot built(MetricSnapshot.Builder<?> builder) {
        return builder.build();
    }
}
