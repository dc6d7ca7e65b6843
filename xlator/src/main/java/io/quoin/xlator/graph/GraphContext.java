package io.quoin.xlator.graph;

import io.quoin.xlator.loop.LoopGroup;
import java.nio.file.Path;
import java.util.concurrent.Executor;

/**
 * What a graph gives its nodes.
 *
 * @param loops the loops that files are opened on
 * @param blocking runs control-path work that may block: opening, listing, renaming
 * @param directory what relative paths in options are relative to
 *     <p>Threading: immutable.
 */
public record GraphContext(LoopGroup loops, Executor blocking, Path directory) {}
