package io.quoin.management.definition;

/**
 * Where a volume is. It is made CREATED; start makes it STARTED and stop STOPPED.
 *
 * <p>Threading: immutable.
 */
public enum VolumeState {
    CREATED,
    /** Every service of the data folder opens it. */
    STARTED,
    STOPPED
}
