package io.quoin.benchmarks.compare;

/**
 * A guest of one server without and then with a flood, in one round.
 *
 * <p>Threading: immutable.
 *
 * @param kind of flood, by its name on the command line
 * @param alone what the guest had before it
 * @param beside what the guest had amid it
 * @param floodPerSecond how often the clients did what they flood with, each second
 * @param lost connections of the flood that the server closed or refused
 * @param peakBytes the most resident memory that the server's process had up to its end
 */
record FloodRun(
        String kind,
        String server,
        int round,
        FioLoad.Result alone,
        FioLoad.Result beside,
        double floodPerSecond,
        long lost,
        long peakBytes) {
    double kept() {
        return beside.iops() / alone.iops();
    }

    long errors() {
        return alone.errors() + beside.errors();
    }
}
