package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.xlator.Stages;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Waits for stages that take their time, as long as a job is not to end.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class JobStages {
    private static final long LOOK_MILLIS = 200;

    private JobStages() {}

    /**
     * The result of a stage.
     *
     * @throws BlockException as the stage failed with; ESHUTDOWN once the job is to end
     */
    static <T> T await(CompletionStage<T> stage, JobControl control) {
        while (!control.isEnding()) {
            try {
                return stage.toCompletableFuture().get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException expected) {
                // looks again whether the job is to end
            } catch (ExecutionException e) {
                throw Stages.asBlockException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw new BlockException(BlockError.ESHUTDOWN, "the job is to end");
    }
}
