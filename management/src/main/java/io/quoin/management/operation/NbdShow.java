package io.quoin.management.operation;

/**
 * {@code nbd.show}.
 *
 * <p>Threading: immutable.
 */
public final class NbdShow implements Operation<NbdShow.Request, NbdAddresses> {
    /** As clients see it. */
    public static final OperationType<Request, NbdAddresses> TYPE =
            OperationType.of(
                    "nbd.show",
                    Kind.READ,
                    "GET /v1/nbd",
                    "Show where disks can be attached.",
                    Request.class,
                    NbdAddresses.class);

    /** Nothing to say. */
    public record Request() {}

    @Override
    public OperationType<Request, NbdAddresses> type() {
        return TYPE;
    }

    @Override
    public NbdAddresses run(Request request, ManagedVolume volume) {
        return volume.addresses();
    }
}
