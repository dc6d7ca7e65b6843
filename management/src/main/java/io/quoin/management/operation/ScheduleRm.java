package io.quoin.management.operation;

import io.quoin.management.schedule.ScheduleView;

/**
 * {@code schedule.rm}.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleRm implements Operation<ScheduleRm.Request, ScheduleView> {
    /** As clients see it. */
    public static final OperationType<Request, ScheduleView> TYPE =
            OperationType.of(
                    "schedule.rm",
                    Kind.CHANGE,
                    "DELETE /v1/schedules/{name}",
                    "Remove a schedule. What it has made stays.",
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
        return volume.schedules().remove(request.name());
    }
}
