package io.quoin.replicate.volume;

import io.quoin.replicate.ScrubProgress;
import java.util.UUID;

/**
 * How far the scrub of a file is, or what came of it.
 *
 * <p>Threading: immutable.
 */
public record ReplicaFileScrub(UUID file, String fileName, ScrubProgress progress) {}
