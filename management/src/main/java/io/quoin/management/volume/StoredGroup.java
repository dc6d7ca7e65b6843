package io.quoin.management.volume;

import java.util.List;
import java.util.UUID;

/**
 * What is kept of a group of snapshots.
 *
 * <p>Threading: immutable.
 *
 * @param uuid of the group, which its snapshots have too
 * @param name of each of its snapshots
 * @param createdAt by ISO 8601
 * @param members in the order in which they were asked for
 */
public record StoredGroup(String uuid, String name, String createdAt, List<Member> members) {
    /**
     * One of the snapshots.
     *
     * @param disk its disk
     * @param uuid of the snapshot
     */
    public record Member(String disk, String uuid) {}

    UUID id() {
        return UUID.fromString(uuid);
    }
}
