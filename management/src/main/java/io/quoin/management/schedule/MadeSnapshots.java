package io.quoin.management.schedule;

import java.util.List;

/**
 * Snapshots of one run of a schedule, noted before they are made: so the schedule removes what it
 * has made and nothing else.
 *
 * <p>Threading: immutable.
 *
 * @param name of each
 * @param createdAt when, by ISO 8601
 * @param snapshots one of each disk
 */
public record MadeSnapshots(String name, String createdAt, List<Of> snapshots) {
    /**
     * One of them.
     *
     * @param disk its disk
     * @param uuid by which it is known
     */
    public record Of(String disk, String uuid) {}
}
