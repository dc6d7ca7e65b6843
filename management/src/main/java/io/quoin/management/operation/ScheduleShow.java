package io.quoin.management.operation;

import io.quoin.management.schedule.ScheduleView;

/**
 * {@code schedule.show}.
 *
 * <p>Threading: immutable.
 */
public final class ScheduleShow implements Operation<ScheduleShow.Request, ScheduleView> {
    /** As clients see it. */
    public static final OperationType<Request, ScheduleView> TYPE =
            OperationType.of(
                    "schedule.show",
                    Kind.READ,
                    "GET /v1/schedules/{name}",
                    "Show one schedule: when it runs next, and what became of its runs.",
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
        return volume.schedules().show(request.name());
    }
}
