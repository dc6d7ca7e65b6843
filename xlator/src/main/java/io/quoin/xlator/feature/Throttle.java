package io.quoin.xlator.feature;

import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Reconfigurable;
import io.quoin.xlator.graph.StatisticsSource;
import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Limits each file that is opened through it to its own rates.
 *
 * <p>Threading: thread-safe.
 */
final class Throttle extends PassThroughXlator implements Reconfigurable, StatisticsSource {
    private final Set<ThrottledFile> openFiles = ConcurrentHashMap.newKeySet();
    private final LongAdder delayed = new LongAdder();
    private final LongAdder delayedNanos = new LongAdder();
    private volatile ThrottleLimits limits;

    Throttle(String name, ThrottleLimits limits, Xlator subvolume) {
        super(name, ThrottleType.TYPE, subvolume);
        this.limits = limits;
    }

    ThrottleLimits limits() {
        return limits;
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume().open(fileName, options, loop).thenApply(below -> opened(below, loop));
    }

    private XlatorFile opened(XlatorFile below, Loop loop) {
        ThrottleLimits seen = limits;
        ThrottledFile file = new ThrottledFile(this, below, loop);
        openFiles.add(file);
        if (!limits.equals(seen)) {
            file.limitsChanged();
        }
        return file;
    }

    void waited(long nanos) {
        delayed.increment();
        delayedNanos.add(nanos);
    }

    void closing(ThrottledFile file) {
        openFiles.remove(file);
    }

    @Override
    public Set<String> liveOptions() {
        return ThrottleType.optionNames();
    }

    @Override
    public void reconfigure(OptionValues options) {
        limits = ThrottleLimits.of(options);
        openFiles.forEach(ThrottledFile::limitsChanged);
    }

    @Override
    public Map<String, Object> statistics() {
        return Map.of("delayed", delayed.sum(), "delayed-us", delayedNanos.sum() / 1000);
    }
}
