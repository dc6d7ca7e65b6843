package io.quoin.benchmarks.compare;

/**
 * One server's result in one row of one round.
 *
 * <p>Threading: immutable.
 *
 * @param figure in the row's unit
 * @param p99Micros completion latency that 99 of 100 requests stayed below
 * @param cpuMicrosPerRequest the server's processor time for each request
 * @param residentBytes the server's resident memory after it
 */
record Measurement(
        String row,
        String server,
        int round,
        double figure,
        double p99Micros,
        double cpuMicrosPerRequest,
        long residentBytes) {}
