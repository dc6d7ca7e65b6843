package io.quoin.benchmarks.compare;

/**
 * One measured value.
 *
 * <p>Threading: immutable.
 *
 * @param scenario by its label
 * @param name what was measured, with its unit
 */
record SnapshotFigure(String scenario, String name, String server, double value) {}
