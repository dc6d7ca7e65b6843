package io.quoin.management.operation;

import org.jspecify.annotations.Nullable;

/**
 * {@code status}.
 *
 * <p>Threading: immutable.
 */
public final class Status implements ServiceOperation<Status.Request, StatusView> {
    /** As clients see it. */
    public static final OperationType<Request, StatusView> TYPE =
            OperationType.of(
                    "status",
                    Kind.READ,
                    "GET /v1/status",
                    "Show the service: disks, bricks, addresses and what was counted.",
                    Request.class,
                    StatusView.class);

    /** Nothing to say. */
    public record Request() {}

    @Override
    public OperationType<Request, StatusView> type() {
        return TYPE;
    }

    @Override
    public StatusView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        return volumes.status(volume);
    }
}
