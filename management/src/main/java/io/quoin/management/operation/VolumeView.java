package io.quoin.management.operation;

import io.quoin.management.definition.VolumeDefinition;
import io.quoin.management.definition.VolumeName;
import io.quoin.xlator.NameText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A volume as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param name its name
 * @param id a UUID; null of the default volume
 * @param type Brick, Replicate, Stripe, Stripe-Replicate, or Volfile of the default volume
 * @param status Created, Started or Stopped
 * @param isOpen whether this process has it open
 * @param failure why it could not be opened; null if it could, or was not to be
 * @param brickCount by replica and stripe, as in {@code 2 x (2 + 1) = 6}; null of the default one
 * @param bricks in order
 * @param options those that were set
 */
public record VolumeView(
        String name,
        @Nullable String id,
        String type,
        String status,
        boolean isOpen,
        @Nullable String failure,
        @Nullable String brickCount,
        List<Brick> bricks,
        Map<String, String> options) {
    /**
     * One of its bricks.
     *
     * @param address as it was given, or the folder
     * @param isArbiter whether it has no data
     */
    public record Brick(String address, boolean isArbiter) {}

    static VolumeView of(VolumeDefinition volume, boolean isOpen, @Nullable String failure) {
        List<Brick> bricks = new ArrayList<>();
        for (String address : volume.bricks()) {
            bricks.add(new Brick(address, volume.isArbiter(bricks.size())));
        }
        String state = volume.state().name();
        return new VolumeView(
                volume.name(),
                volume.id(),
                volume.type(),
                state.charAt(0) + state.substring(1).toLowerCase(Locale.ROOT),
                isOpen,
                failure,
                volume.arithmetic(),
                bricks,
                volume.options());
    }

    /** The volume in the data folder itself; null where it is not open. */
    static VolumeView ofDefault(@Nullable ManagedVolume volume) {
        List<Brick> bricks =
                volume == null
                        ? List.of()
                        : volume.bricks().stream()
                                .map(path -> new Brick(NameText.of(path), false))
                                .toList();
        return new VolumeView(
                VolumeName.DEFAULT,
                null,
                "Volfile",
                "Started",
                volume != null,
                null,
                null,
                bricks,
                Map.of());
    }
}
