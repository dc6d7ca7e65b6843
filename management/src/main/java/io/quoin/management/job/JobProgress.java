package io.quoin.management.job;

import org.jspecify.annotations.Nullable;

/**
 * How far a job is.
 *
 * <p>Threading: immutable.
 *
 * @param done of the work
 * @param total of the work; 0 while it is not known
 * @param unit of both, as in bytes
 * @param perSecond over the last half minute of running
 * @param remainingSeconds at that rate; null while it is not known
 */
public record JobProgress(
        long done, long total, String unit, long perSecond, @Nullable Long remainingSeconds) {}
