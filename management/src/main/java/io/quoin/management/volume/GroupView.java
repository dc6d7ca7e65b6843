package io.quoin.management.volume;

import java.util.List;

/**
 * A group of snapshots as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param uuid unique for ever
 * @param name that its snapshots were given
 * @param createdAt when the disks were cut, by ISO 8601
 * @param frozen whether all file systems of the guests stood still at that moment
 * @param isWhole false while its snapshots are being published; true for ever then
 * @param snapshots {@code DISK@SNAPSHOT} of those that are there, by the names that they have now
 * @param removed the disks whose snapshots are not there any more
 */
public record GroupView(
        String uuid,
        String name,
        String createdAt,
        boolean frozen,
        boolean isWhole,
        List<String> snapshots,
        List<String> removed) {}
