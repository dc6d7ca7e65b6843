package io.quoin.xlator.debug;

import io.quoin.block.IoRequest;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Reconfigurable;
import io.quoin.xlator.graph.StatisticsSource;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Starts some operations later.
 *
 * <p>Threading: thread-safe.
 */
final class DelayGen extends FopXlator implements Reconfigurable, StatisticsSource {
    private final LoopGroup loops;
    private final Dice dice;
    private final LongAdder delayed = new LongAdder();
    private volatile Plan plan;

    DelayGen(String name, OptionValues values, Xlator subvolume, LoopGroup loops) {
        super(name, DelayGenType.TYPE, subvolume);
        this.loops = loops;
        this.dice = new Dice(name, values.integer(DelayGenType.SEED));
        this.plan = Plan.of(values);
    }

    /** 0, or how long this operation is to wait. */
    private long draw(Fop fop) {
        Plan current = plan;
        if (!current.fops.contains(fop) || !dice.hits(current.fraction)) {
            return 0;
        }
        delayed.increment();
        return current.delayNanos;
    }

    @Override
    <T> CompletionStage<T> around(Fop fop, String fileName, Supplier<CompletionStage<T>> call) {
        long delayNanos = draw(fop);
        if (delayNanos == 0) {
            return call.get();
        }
        // an open file's calls stay on its loop
        Loop loop = loops.loops().stream().filter(Loop::inLoop).findFirst().orElseGet(loops::next);
        CompletableFuture<Void> started = new CompletableFuture<>();
        loop.schedule(delayNanos, () -> started.complete(null));
        return started.thenCompose(nothing -> call.get());
    }

    @Override
    XlatorFile wrap(XlatorFile below, Loop loop) {
        return new DelayedFile(below, loop);
    }

    @Override
    public Set<String> liveOptions() {
        return Set.of(DelayGenType.DURATION, DelayGenType.PERCENTAGE, DelayGenType.ENABLE);
    }

    @Override
    public void reconfigure(OptionValues options) {
        plan = Plan.of(options);
    }

    @Override
    public Map<String, Object> statistics() {
        return Map.of("delayed", delayed.sum());
    }

    private record Plan(Set<Fop> fops, double fraction, long delayNanos) {
        static Plan of(OptionValues values) {
            Set<Fop> listed = Fop.parse(values.string(DelayGenType.ENABLE));
            return new Plan(
                    listed.isEmpty() ? EnumSet.allOf(Fop.class) : listed,
                    values.fraction(DelayGenType.PERCENTAGE),
                    values.durationNanos(DelayGenType.DURATION));
        }
    }

    private final class DelayedFile extends FopFile {
        private final Loop loop;

        DelayedFile(XlatorFile below, Loop loop) {
            super(DelayGen.this, below);
            this.loop = loop;
        }

        @Override
        public void submit(IoRequest request) {
            long delayNanos = draw(Fop.of(request.op()));
            if (delayNanos == 0) {
                below().submit(request);
            } else {
                loop.schedule(delayNanos, () -> below().submit(request));
            }
        }
    }
}
