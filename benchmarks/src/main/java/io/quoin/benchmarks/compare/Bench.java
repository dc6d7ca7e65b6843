package io.quoin.benchmarks.compare;

import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * What the comparisons of many disks and of floods are told alike.
 *
 * <p>Threading: immutable.
 *
 * @param quoin its launcher
 * @param folder where the images go
 * @param sockets a folder with a short name, for unix sockets
 * @param rounds that are counted, after one that warms up
 * @param seconds of each load
 * @param progress takes a line for each load
 */
record Bench(
        Path quoin,
        Path folder,
        Path sockets,
        int rounds,
        int seconds,
        Consumer<String> progress) {}
