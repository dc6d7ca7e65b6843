package io.quoin.qcow2.check;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a check found, counted as {@code qemu-img check} does.
 *
 * <p>Threading: immutable.
 *
 * @param checkErrors parts that could not be checked
 * @param corruptions what is wrong and left
 * @param leaks clusters whose refcount is above their references, and left
 * @param corruptionsFixed what was wrong and is repaired
 * @param leaksFixed leaks that are repaired
 * @param imageEndOffset end of the last cluster in use
 * @param totalClusters guest clusters
 * @param allocatedClusters guest clusters with a host cluster of their own or compressed data
 * @param compressedClusters guest clusters with compressed data
 * @param fragmentedClusters guest clusters that do not follow their predecessor in the file
 */
public record CheckResult(
        long checkErrors,
        long corruptions,
        long leaks,
        long corruptionsFixed,
        long leaksFixed,
        long imageEndOffset,
        long totalClusters,
        long allocatedClusters,
        long compressedClusters,
        long fragmentedClusters) {
    public static final int EXIT_CONSISTENT = 0;
    public static final int EXIT_NOT_COMPLETED = 1;
    public static final int EXIT_CORRUPT = 2;
    public static final int EXIT_LEAKS = 3;

    /** For a format that has no check, such as raw. */
    public static final int EXIT_NO_CHECK = 63;

    /** The exit code of {@code qemu-img check} for this result. */
    public int exitCode() {
        return exitCode(checkErrors, corruptions, leaks);
    }

    /** The exit code of {@code qemu-img check} for so many findings. */
    public static int exitCode(long checkErrors, long corruptions, long leaks) {
        if (checkErrors > 0) {
            return EXIT_NOT_COMPLETED;
        }
        if (corruptions > 0) {
            return EXIT_CORRUPT;
        }
        return leaks > 0 ? EXIT_LEAKS : EXIT_CONSISTENT;
    }

    public boolean isClean() {
        return exitCode() == EXIT_CONSISTENT;
    }

    /**
     * The fields by the names that {@code qemu-img check --output=json} uses; all of them, also
     * those that are 0.
     */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("image-end-offset", imageEndOffset);
        map.put("total-clusters", totalClusters);
        map.put("allocated-clusters", allocatedClusters);
        map.put("fragmented-clusters", fragmentedClusters);
        map.put("compressed-clusters", compressedClusters);
        map.put("check-errors", checkErrors);
        map.put("corruptions", corruptions);
        map.put("leaks", leaks);
        map.put("corruptions-fixed", corruptionsFixed);
        map.put("leaks-fixed", leaksFixed);
        return map;
    }
}
