package io.quoin.backup;

import io.quoin.block.BlockException;
import org.jspecify.annotations.Nullable;

/**
 * What became of the backup of one disk; one of {@code made} and {@code failure} is null.
 *
 * <p>Threading: immutable.
 *
 * @param disk its name
 * @param made the manifest
 * @param failure why there is none
 */
public record DiskOutcome(String disk, @Nullable Manifest made, @Nullable BlockException failure) {}
