package io.quoin.xlator.debug;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Reconfigurable;
import io.quoin.xlator.graph.StatisticsSource;
import io.quoin.xlator.loop.Loop;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Logs every operation when it has ended, and keeps the last ones in memory. Unlike the other
 * xlators it allocates for each operation that it traces.
 *
 * <p>Threading: thread-safe.
 */
public final class Trace extends FopXlator implements Reconfigurable, StatisticsSource {
    private static final int HISTORY_MAX = 1_000_000;

    private final Logger log;
    private final TraceHistory history;
    private final AtomicLong numbers = new AtomicLong();
    private volatile Plan plan;

    Trace(String name, OptionValues values, Xlator subvolume) {
        super(name, TraceType.TYPE, subvolume);
        this.log = LoggerFactory.getLogger(Trace.class.getName() + "." + name);
        long size = values.integer(TraceType.HISTORY_SIZE);
        if (size < 1 || size > HISTORY_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "option has a wrong value: name="
                            + TraceType.HISTORY_SIZE
                            + ", expected=1 to "
                            + HISTORY_MAX
                            + ", actual="
                            + size);
        }
        this.history = new TraceHistory((int) size);
        this.plan = Plan.of(values);
    }

    /** The last operations, from the oldest to the newest. */
    public List<TraceEntry> history() {
        return history.entries();
    }

    private void ended(
            Fop fop, String fileName, IoRequest request, BlockError error, long latencyNanos) {
        Plan current = plan;
        TraceEntry entry =
                new TraceEntry(
                        numbers.getAndIncrement(),
                        fop.text(),
                        fileName,
                        request.offsetBytes(),
                        request.lengthBytes(),
                        IoFlags.toString(request.flags()),
                        error,
                        latencyNanos);
        if (current.keeps) {
            history.add(entry);
        }
        if (current.logs) {
            log.atLevel(current.level).log("{}", entry);
        }
    }

    @Override
    <T> CompletionStage<T> around(Fop fop, String fileName, Supplier<CompletionStage<T>> call) {
        if (!plan.fops.contains(fop)) {
            return call.get();
        }
        long startNanos = System.nanoTime();
        return call.get()
                .whenComplete(
                        (value, failure) ->
                                ended(
                                        fop,
                                        fileName,
                                        new IoRequest(),
                                        error(failure),
                                        System.nanoTime() - startNanos));
    }

    private static BlockError error(@Nullable Throwable failure) {
        Throwable cause = failure;
        if (failure instanceof CompletionException && failure.getCause() != null) {
            cause = failure.getCause();
        }
        if (cause == null) {
            return BlockError.OK;
        }
        return cause instanceof BlockException known ? known.error() : BlockError.EIO;
    }

    @Override
    XlatorFile wrap(XlatorFile below, Loop loop) {
        return new TracedFile(below, loop);
    }

    @Override
    public Map<String, Object> statistics() {
        return Map.of("traced", numbers.get());
    }

    @Override
    public Set<String> liveOptions() {
        return Set.of(
                TraceType.INCLUDE,
                TraceType.EXCLUDE,
                TraceType.LOG,
                TraceType.LEVEL,
                TraceType.HISTORY);
    }

    @Override
    public void reconfigure(OptionValues options) {
        plan = Plan.of(options);
    }

    private record Plan(Set<Fop> fops, boolean logs, Level level, boolean keeps) {
        static Plan of(OptionValues values) {
            Set<Fop> fops = Fop.parse(values.string(TraceType.INCLUDE));
            if (fops.isEmpty()) {
                fops = EnumSet.allOf(Fop.class);
            }
            fops.removeAll(Fop.parse(values.string(TraceType.EXCLUDE)));
            String level = values.string(TraceType.LEVEL);
            return new Plan(
                    fops,
                    values.bool(TraceType.LOG),
                    level.equals("WARNING") ? Level.WARN : Level.valueOf(level),
                    values.bool(TraceType.HISTORY));
        }
    }

    private final class TracedFile extends FopFile {
        private final Loop loop;
        private final IoCompletion whenDone = this::onComplete;

        TracedFile(XlatorFile below, Loop loop) {
            super(Trace.this, below);
            this.loop = loop;
        }

        @Override
        public void submit(IoRequest request) {
            if (plan.fops.contains(Fop.of(request.op()))) {
                request.push(whenDone, loop.nanoTime());
            }
            below().submit(request);
        }

        private void onComplete(IoRequest request, BlockError error) {
            long latencyNanos = loop.nanoTime() - request.token();
            ended(Fop.of(request.op()), fileName(), request, error, latencyNanos);
            request.complete(error);
        }
    }
}
