package io.quoin.qcow2.served;

import io.quoin.qcow2.check.CheckResult;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a check of an open image found.
 *
 * <p>Threading: immutable.
 *
 * @param result as of a check of an image that is not open; leaks that were given back are among
 *     the fixed ones
 * @param countedAhead clusters that are counted more often than tables on disk refer to them, and
 *     rightly: reserved, in use by requests under way, or waiting to be free
 */
public record OpenCheck(CheckResult result, long countedAhead) {
    /** The same with so many leaks less. */
    OpenCheck lowered(long leaks) {
        CheckResult before = result;
        return new OpenCheck(
                new CheckResult(
                        before.checkErrors(),
                        before.corruptions(),
                        before.leaks() - leaks,
                        before.corruptionsFixed(),
                        leaks,
                        before.imageEndOffset(),
                        before.totalClusters(),
                        before.allocatedClusters(),
                        before.compressedClusters(),
                        before.fragmentedClusters()),
                countedAhead);
    }

    /** The fields of the result, and this one's. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>(result.toMap());
        map.put("counted-ahead-clusters", countedAhead);
        return map;
    }
}
