package io.quoin.brick.posix;

import java.util.concurrent.Executor;
import java.util.function.IntUnaryOperator;

/**
 * What the files of a brick share.
 *
 * <p>Threading: thread-safe.
 *
 * @param ioPool reads that miss the page cache, fallocate, and everything in direct mode
 * @param flushPool fdatasync
 * @param blocking opening, closing and the namespace
 * @param dataSync fdatasync: 0 or the negative error number
 */
record Brick(
        BrickFolder folder,
        FileSystemTraits traits,
        PosixOptions options,
        OpenNames names,
        IoPool ioPool,
        IoPool flushPool,
        Executor blocking,
        IntUnaryOperator dataSync) {}
