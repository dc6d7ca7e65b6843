package io.quoin.management.volume;

import io.quoin.snapshot.SnapshotName;
import java.util.UUID;

/**
 * A snapshot that is made at one instant with others.
 *
 * <p>Threading: immutable.
 *
 * @param name of it
 * @param uuid that it is given; a new one
 */
public record GroupMember(SnapshotName name, UUID uuid) {}
