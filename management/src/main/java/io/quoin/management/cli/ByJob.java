package io.quoin.management.cli;

import io.quoin.management.job.JobView;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.VolumeClient;
import io.quoin.tools.terminal.CheckFindings;
import io.quoin.tools.terminal.ProgressOutput;
import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * A command whose work is a job: started, followed to its end, and its result printed.
 *
 * <p>Threading: confined to the main thread.
 */
abstract class ByJob implements Runnable {
    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Option(
            names = "--no-wait",
            description = "print the id of the job and leave it to the service: see quoin job")
    private boolean detached;

    /**
     * What is asked for.
     *
     * @param <Q> the request
     */
    record Started<Q extends Record>(OperationType<Q, JobView> type, Q request) {
        JobView by(VolumeClient client) {
            return client.call(type, request);
        }
    }

    @Override
    public final void run() {
        Started<?> wanted = start();
        try (VolumeClient client = VolumeAccess.open(data, isMaking())) {
            if (detached) {
                JobCommand.requireService(client);
                JobView started = wanted.by(client);
                output.print(started, out -> out.println(started.id()));
                return;
            }
            Map<String, Object> result = follow(client, wanted, output, doing());
            done();
            output.print(result, printer(output), out -> print(result, out));
        } finally {
            release();
        }
    }

    /** Whether nothing waits for the job. */
    final boolean isDetached() {
        return detached;
    }

    /** What is left to do once the job is done. */
    void done() {}

    /** In any case, at the end. */
    void release() {}

    /** Where the result goes. */
    PrintWriter printer(ProgressOutput to) {
        return to.out();
    }

    /** Starts a job and waits for its result; throws what it failed with. */
    static Map<String, Object> follow(
            VolumeClient client, Started<?> wanted, ProgressOutput output, String doing) {
        JobView job = wanted.by(client);
        try (CheckFindings lines = new CheckFindings(output.err(), output.progress(doing))) {
            job =
                    JobFollower.follow(
                            client,
                            job.id(),
                            progress -> lines.progress(progress.done(), progress.total()),
                            lines::finding);
        }
        return JobCommand.resultOf(job);
    }

    static long number(Map<String, Object> result, String field) {
        return result.get(field) instanceof Number number ? number.longValue() : 0;
    }

    /** Whether a volume is made where there is none. */
    boolean isMaking() {
        return false;
    }

    abstract Started<?> start();

    /** For progress, as in "removing". */
    abstract String doing();

    /** For a person. */
    abstract void print(Map<String, Object> result, PrintWriter writer);
}
