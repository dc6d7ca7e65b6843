package io.quoin.management.brick;

import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.WireOptions;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a brick daemon is started with.
 *
 * <p>Threading: immutable.
 *
 * @param folder of the brick, which is there
 * @param healthInterval between two checks of the folder
 * @param healthTimeout what a check may take
 */
public record BrickOptions(
        Path folder,
        BrickAddress listen,
        WireOptions wire,
        Duration healthInterval,
        Duration healthTimeout) {}
