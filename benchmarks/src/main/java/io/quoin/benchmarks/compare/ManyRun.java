package io.quoin.benchmarks.compare;

/**
 * One load of a scenario in one round.
 *
 * <p>Threading: immutable.
 *
 * @param scenario by its name on the command line
 * @param load of those that the scenario compares
 * @param server that carried it
 * @param peakBytes the most resident memory that the server's process had up to its end
 * @param status amid the load; nothing of other servers than Quoin
 * @param isUp whether the server was still there after it
 */
record ManyRun(
        String scenario,
        String load,
        String server,
        int round,
        FioLoad.Result result,
        long peakBytes,
        QuoinStatus status,
        boolean isUp) {
    double iops() {
        return result.iops();
    }

    double p50Micros() {
        return result.p50Micros();
    }

    double p99Micros() {
        return result.p99Micros();
    }
}
