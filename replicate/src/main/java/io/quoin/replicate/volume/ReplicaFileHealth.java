package io.quoin.replicate.volume;

import io.quoin.replicate.Gateway;
import io.quoin.replicate.Health;
import java.util.UUID;

/**
 * How the copies of an open file are.
 *
 * <p>Threading: immutable.
 *
 * @param fileName by which it was opened first
 * @param state of its gateway
 * @param health its configuration, and each member with what its heal has still to copy
 */
public record ReplicaFileHealth(UUID file, String fileName, Gateway.State state, Health health) {}
