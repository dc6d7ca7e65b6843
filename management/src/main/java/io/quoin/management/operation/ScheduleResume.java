package io.quoin.management.operation;

import io.quoin.management.schedule.ScheduleView;

/**
 * {@code schedule.resume}.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleResume implements Operation<ScheduleResume.Request, ScheduleView> {
    /** As clients see it. */
    public static final OperationType<Request, ScheduleView> TYPE =
            OperationType.of(
                    "schedule.resume",
                    Kind.CHANGE,
                    "POST /v1/schedules/{name}/resume",
                    "Let runs of a schedule begin again; those that were due meanwhile are left out.",
                    Request.class,
                    ScheduleView.class);

    /**
     * Which.
     *
     * @param name of the schedule
     */
    public record Request(String name) {}

    @Override
    public OperationType<Request, ScheduleView> type() {
        return TYPE;
    }

    @Override
    public ScheduleView run(Request request, ManagedVolume volume) {
        return volume.schedules().resume(request.name());
    }
}
