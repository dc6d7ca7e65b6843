package io.quoin.tools;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How large an image would be.
 *
 * <p>Threading: immutable.
 *
 * @param requiredBytes with the data that it would have
 * @param fullyAllocatedBytes if all of it were data
 * @param bitmapsBytes more, if the source's bitmaps were copied as well; null where there can be
 *     none
 */
public record MeasureResult(
        long requiredBytes, long fullyAllocatedBytes, @Nullable Long bitmapsBytes) {
    /** By qemu-img's names. */
    public Map<String, Object> toMap() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("required", requiredBytes);
        fields.put("fully-allocated", fullyAllocatedBytes);
        if (bitmapsBytes != null) {
            fields.put("bitmaps", bitmapsBytes);
        }
        return fields;
    }
}
