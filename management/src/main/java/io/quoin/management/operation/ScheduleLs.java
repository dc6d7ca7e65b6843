package io.quoin.management.operation;

import io.quoin.management.schedule.ScheduleView;
import java.util.List;

/**
 * {@code schedule.ls}.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleLs implements Operation<ScheduleLs.Request, ScheduleLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "schedule.ls",
                    Kind.READ,
                    "GET /v1/schedules",
                    "List the schedules, each with the last of its runs.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The schedules.
     *
     * @param schedules by name
     */
    public record Result(List<ScheduleView> schedules) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.schedules().list());
    }
}
