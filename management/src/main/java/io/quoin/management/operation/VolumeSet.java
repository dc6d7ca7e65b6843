package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code volume.set}.
 *
 * <p>Threading: immutable.
 */
public final class VolumeSet implements ServiceOperation<VolumeSet.Request, VolumeSet.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "volume.set",
                    Kind.CHANGE,
                    "POST /v1/volumes/{name}/options",
                    "Set options of a volume. On the control socket alone.",
                    Request.class,
                    Result.class);

    /**
     * Which options.
     *
     * @param name of the volume
     * @param options their values by their names
     */
    public record Request(String name, @Local Map<String, String> options) {}

    /**
     * What was changed.
     *
     * @param name of the volume
     * @param changes by the names of options
     */
    public record Result(String name, List<Change> changes) {
        static Result of(String name, Map<String, Boolean> effects) {
            List<Change> changes = new ArrayList<>();
            effects.forEach((option, isNow) -> changes.add(new Change(option, isNow)));
            return new Result(name, changes);
        }
    }

    /**
     * An option that was changed.
     *
     * @param option its name
     * @param isInEffect whether it works now; else from the next start of the volume on
     */
    public record Change(String option, boolean isInEffect) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, VolumeRegistry volumes, @Nullable String volume) {
        request.options()
                .forEach(
                        (option, value) -> {
                            if (value.isEmpty()) {
                                throw new BlockException(
                                        BlockError.EINVAL,
                                        "option has no value: name="
                                                + option
                                                + "; its default is set by: quoin volume reset "
                                                + request.name()
                                                + " "
                                                + option);
                            }
                        });
        return Result.of(request.name(), volumes.setOptions(request.name(), request.options()));
    }
}
