package io.quoin.xlator.debug;

import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Reconfigurable;
import io.quoin.xlator.graph.StatisticsSource;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * Counts and times the requests of every file that is opened through it.
 *
 * <p>Threading: thread-safe.
 */
public final class IoStats extends PassThroughXlator implements Reconfigurable, StatisticsSource {
    // under this object's lock, which no request takes
    private final List<IoStatsFile> openFiles = new ArrayList<>();
    private final Map<Fop, OpTotals> closedTotals = new EnumMap<>(Fop.class);
    private volatile boolean measuresLatency;

    IoStats(String name, OptionValues values, Xlator subvolume) {
        super(name, IoStatsType.TYPE, subvolume);
        measuresLatency = values.bool(IoStatsType.LATENCY);
    }

    boolean measuresLatency() {
        return measuresLatency;
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume().open(fileName, options, loop).thenApply(file -> opened(file, loop));
    }

    private synchronized XlatorFile opened(XlatorFile below, Loop loop) {
        IoStatsFile file = new IoStatsFile(this, below, loop);
        openFiles.add(file);
        return file;
    }

    synchronized void closing(IoStatsFile file) {
        if (openFiles.remove(file)) {
            file.addTo(closedTotals);
        }
    }

    /** What has been counted since the node was made. */
    public synchronized IoStatistics snapshot() {
        Map<Fop, OpTotals> total = new EnumMap<>(Fop.class);
        Map<String, Map<Fop, OpTotals>> files = new TreeMap<>();
        addAll(closedTotals, total);
        for (IoStatsFile file : openFiles) {
            Map<Fop, OpTotals> ofFile = new EnumMap<>(Fop.class);
            file.addTo(ofFile);
            addAll(ofFile, total);
            addAll(
                    ofFile,
                    files.computeIfAbsent(file.fileName(), name -> new EnumMap<>(Fop.class)));
        }
        Map<String, Map<String, OpStatistics>> perFile = new TreeMap<>();
        files.forEach((fileName, totals) -> perFile.put(fileName, statistics(totals)));
        return new IoStatistics(statistics(total), perFile);
    }

    private static void addAll(Map<Fop, OpTotals> from, Map<Fop, OpTotals> to) {
        from.forEach((fop, totals) -> to.computeIfAbsent(fop, any -> new OpTotals()).add(totals));
    }

    private static Map<String, OpStatistics> statistics(Map<Fop, OpTotals> totals) {
        return totals.entrySet().stream()
                .collect(
                        Collectors.toMap(
                                entry -> entry.getKey().text(),
                                entry -> entry.getValue().toStatistics()));
    }

    @Override
    public Map<String, Object> statistics() {
        return snapshot().asMap();
    }

    @Override
    public Set<String> liveOptions() {
        return Set.of(IoStatsType.LATENCY);
    }

    @Override
    public void reconfigure(OptionValues options) {
        measuresLatency = options.bool(IoStatsType.LATENCY);
    }
}
