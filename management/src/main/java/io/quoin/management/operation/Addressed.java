package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request, and the volume that its names mean.
 *
 * <p>Threading: immutable.
 *
 * @param volume null where none is named
 * @param request without volumes in its names
 * @param <Q> the request
 */
record Addressed<Q extends Record>(@Nullable String volume, Q request) {
    /**
     * Takes the volume out of the names. A field that names none goes with the others.
     *
     * @param volume of names without one
     * @throws BlockException EINVAL if they are of several volumes
     */
    static <Q extends Record> Addressed<Q> of(Q request, @Nullable String volume) {
        RecordComponent[] components = request.getClass().getRecordComponents();
        Object[] values = new Object[components.length];
        Set<String> volumes = new HashSet<>();
        for (int i = 0; i < components.length; i++) {
            Object value = Requests.value(request, components[i]);
            values[i] =
                    components[i].isAnnotationPresent(InVolume.class)
                            ? taken(components[i].getName(), value, volumes)
                            : value;
        }
        if (volumes.isEmpty()) {
            return new Addressed<>(volume, request);
        }
        if (volumes.size() > 1) {
            throw several(volumes.toString());
        }
        @SuppressWarnings("unchecked") // the class of the request
        Class<Q> type = (Class<Q>) request.getClass();
        return new Addressed<>(volumes.iterator().next(), Requests.make(type, components, values));
    }

    private static @Nullable Object taken(
            String field, @Nullable Object value, Set<String> volumes) {
        if (value instanceof String text) {
            DiskAddress address = DiskAddress.of(text);
            if (address.volume() != null) {
                volumes.add(address.volume());
            }
            return address.name();
        }
        if (!(value instanceof List<?> texts)) {
            return value;
        }
        List<String> names = new ArrayList<>();
        Set<@Nullable String> own = new HashSet<>();
        for (Object text : texts) {
            DiskAddress address = DiskAddress.of(String.valueOf(text));
            own.add(address.volume());
            names.add(address.name());
        }
        if (own.size() > 1) {
            throw several(field + "=" + texts);
        }
        for (String volume : own) {
            if (volume != null) {
                volumes.add(volume);
            }
        }
        return names;
    }

    private static BlockException several(String what) {
        return new BlockException(
                BlockError.EINVAL, "disks of several volumes: " + what + ", expected=all of one");
    }
}
