package io.quoin.management.operation;

import io.quoin.management.definition.VolumeDefinition;
import io.quoin.replicate.wire.WireOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.create}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeCreate implements ServiceOperation<VolumeCreate.Request, VolumeView> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeView> TYPE =
            OperationType.of(
                    "volume.create",
                    Kind.CHANGE,
                    "POST /v1/volumes",
                    "Make a volume of bricks. On the control socket alone.",
                    Request.class,
                    VolumeView.class);

    /**
     * The volume.
     *
     * @param name of the new volume
     * @param bricks each /absolute/path or HOST:PORT, replica times stripe of them
     * @param replica how many bricks have the same data; left out, 1
     * @param arbiter how many of those only vote, 0 or 1; left out, 0
     * @param stripe over how many replica sets files are striped; left out, 1
     * @param force whether what is unwise is done all the same; left out, no
     * @param tlsCert PEM: the certificate that brick daemons are shown
     * @param tlsKey PEM: its key
     * @param tlsCa PEM: the CA that has signed those of the daemons; all three, or none
     * @param insecure whether daemons of other hosts may be reached without TLS; left out, no
     */
    public record Request(
            String name,
            @Local List<String> bricks,
            @Nullable Long replica,
            @Nullable Long arbiter,
            @Nullable Long stripe,
            @Nullable Boolean force,
            @Local @Nullable String tlsCert,
            @Local @Nullable String tlsKey,
            @Local @Nullable String tlsCa,
            @Local @Nullable Boolean insecure) {
        private WireOptions wire() {
            return WireFields.options(tlsCert, tlsKey, tlsCa, insecure);
        }
    }

    /** One that is no small number is refused by the definition. */
    private static int count(@Nullable Long given, int missing) {
        return given == null ? missing : (int) Math.max(-1, Math.min(given, Short.MAX_VALUE));
    }

    @Override
    public OperationType<Request, VolumeView> type() {
        return TYPE;
    }

    @Override
    public VolumeView run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        VolumeDefinition definition =
                VolumeDefinition.of(
                        request.name(),
                        request.bricks(),
                        count(request.replica(), 1),
                        count(request.arbiter(), 0),
                        count(request.stripe(), 1));
        return volumes.create(definition, request.wire(), Boolean.TRUE.equals(request.force()));
    }
}
