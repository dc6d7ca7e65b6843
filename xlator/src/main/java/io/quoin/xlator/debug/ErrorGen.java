package io.quoin.xlator.debug;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoRequest;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Reconfigurable;
import io.quoin.xlator.graph.StatisticsSource;
import io.quoin.xlator.loop.Loop;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Lets some operations fail, which are then not carried out. A close that fails has closed the file
 * all the same, as {@link XlatorFile#close} demands.
 *
 * <p>Threading: thread-safe.
 */
final class ErrorGen extends FopXlator implements Reconfigurable, StatisticsSource {
    private final Dice dice;
    private final Object lock = new Object();
    private Plan plan;
    private long seen;
    private long failed;

    ErrorGen(String name, OptionValues values, Xlator subvolume) {
        super(name, ErrorGenType.TYPE, subvolume);
        this.dice = new Dice(name, values.integer(ErrorGenType.SEED));
        this.plan = Plan.of(values);
    }

    /** OK, or what this operation is to fail with. */
    private BlockError draw(Fop fop) {
        synchronized (lock) {
            if (!plan.fops.contains(fop)) {
                return BlockError.OK;
            }
            seen++;
            boolean mayFail =
                    seen > plan.skipCount && (plan.countMax == 0 || failed < plan.countMax);
            if (!mayFail || !dice.hits(plan.fraction)) {
                return BlockError.OK;
            }
            failed++;
            return plan.error;
        }
    }

    @Override
    <T> CompletionStage<T> around(Fop fop, String fileName, Supplier<CompletionStage<T>> call) {
        BlockError error = draw(fop);
        if (error.isOk()) {
            return call.get();
        }
        BlockException failure =
                new BlockException(
                        error,
                        "made to fail: node="
                                + name()
                                + ", operation="
                                + fop.text()
                                + ", name="
                                + fileName);
        CompletionStage<T> failing = CompletableFuture.failedFuture(failure);
        return fop == Fop.CLOSE ? call.get().thenCompose(nothing -> failing) : failing;
    }

    @Override
    XlatorFile wrap(XlatorFile below, Loop loop) {
        return new FailingFile(below);
    }

    @Override
    public Set<String> liveOptions() {
        return Set.of(
                ErrorGenType.FAILURE,
                ErrorGenType.ERROR,
                ErrorGenType.ENABLE,
                ErrorGenType.SKIP,
                ErrorGenType.MAX);
    }

    /** Counts anew from here. */
    @Override
    public void reconfigure(OptionValues options) {
        Plan newPlan = Plan.of(options);
        synchronized (lock) {
            plan = newPlan;
            seen = 0;
            failed = 0;
        }
    }

    @Override
    public Map<String, Object> statistics() {
        synchronized (lock) {
            return Map.of("seen", seen, "failed", failed);
        }
    }

    private record Plan(
            Set<Fop> fops, double fraction, BlockError error, long skipCount, long countMax) {
        static Plan of(OptionValues values) {
            Set<Fop> listed = Fop.parse(values.string(ErrorGenType.ENABLE));
            return new Plan(
                    listed.isEmpty() ? EnumSet.allOf(Fop.class) : listed,
                    values.fraction(ErrorGenType.FAILURE),
                    BlockError.valueOf(values.string(ErrorGenType.ERROR)),
                    values.integer(ErrorGenType.SKIP),
                    values.integer(ErrorGenType.MAX));
        }
    }

    private final class FailingFile extends FopFile {
        FailingFile(XlatorFile below) {
            super(ErrorGen.this, below);
        }

        @Override
        public void submit(IoRequest request) {
            BlockError error = draw(Fop.of(request.op()));
            if (error.isOk()) {
                below().submit(request);
            } else {
                request.complete(error);
            }
        }
    }
}
