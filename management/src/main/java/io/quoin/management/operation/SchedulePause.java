package io.quoin.management.operation;

import io.quoin.management.schedule.ScheduleView;

/**
 * {@code schedule.pause}.
 *
 * <p>Threading: immutable.
 */
public final class SchedulePause implements Operation<SchedulePause.Request, ScheduleView> {
    /** As clients see it. */
    public static final OperationType<Request, ScheduleView> TYPE =
            OperationType.of(
                    "schedule.pause",
                    Kind.CHANGE,
                    "POST /v1/schedules/{name}/pause",
                    "Have no run of a schedule begin by itself.",
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
        return volume.schedules().pause(request.name());
    }
}
