package io.quoin.management.operation;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.reset}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeReset implements ServiceOperation<VolumeReset.Request, VolumeSet.Result> {
    /** As clients see it. */
    public static final OperationType<Request, VolumeSet.Result> TYPE =
            OperationType.of(
                    "volume.reset",
                    Kind.CHANGE,
                    "POST /v1/volumes/{name}/options-reset",
                    "Take options of a volume back to their defaults.",
                    Request.class,
                    VolumeSet.Result.class);

    /**
     * Which options.
     *
     * @param name of the volume
     * @param options their names; left out, all that were set
     */
    public record Request(String name, @Nullable List<String> options) {}

    @Override
    public OperationType<Request, VolumeSet.Result> type() {
        return TYPE;
    }

    @Override
    public VolumeSet.Result run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        Map<String, String> changes = new TreeMap<>();
        List<String> given = request.options();
        if (given != null) {
            given.forEach(option -> changes.put(option, ""));
        } else {
            volumes.view(request.name()).options().keySet().forEach(o -> changes.put(o, ""));
        }
        return VolumeSet.Result.of(request.name(), volumes.setOptions(request.name(), changes));
    }
}
