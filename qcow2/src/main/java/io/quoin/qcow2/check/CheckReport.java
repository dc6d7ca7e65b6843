package io.quoin.qcow2.check;

import io.quoin.qcow2.layout.Qcow2Header;

/**
 * Adds up what a check finds.
 *
 * <p>Threading: confined to the check.
 */
final class CheckReport {
    /** Findings told in full; an image of garbage has millions. */
    private static final int TOLD_MAX = 1000;

    private final CheckListener listener;
    private int told;

    /** Whether references may be missing from the count because a table could not be followed. */
    boolean referencesHidden;

    /** Whether the refcount structure has to be made anew. */
    boolean rebuild;

    /** Whether a count is left that is lower than the references. */
    boolean countsTooLow;

    /** References to clusters that are in use as something else. */
    long overlaps;

    /** Those of them that belong to the refcount structure. */
    long refcountOverlaps;

    long checkErrors;
    long corruptions;
    long leaks;
    long corruptionsFixed;
    long leaksFixed;
    long highestCluster;
    long allocatedClusters;
    long compressedClusters;
    long fragmentedClusters;

    CheckReport(CheckListener listener) {
        this.listener = listener;
    }

    /** The same with nothing found, told to {@code other} from now on. */
    CheckReport toldTo(CheckListener other) {
        CheckReport report = new CheckReport(other);
        report.addClusters(this);
        return report;
    }

    void addClusters(CheckReport other) {
        allocatedClusters += other.allocatedClusters;
        compressedClusters += other.compressedClusters;
        fragmentedClusters += other.fragmentedClusters;
    }

    void corruption(String text) {
        corruptions++;
        tell("ERROR ", text);
    }

    void leak(String text) {
        leaks++;
        tell("Leaked ", text);
    }

    void corruptionFixed(String text) {
        corruptionsFixed++;
        tell("Repaired ", text);
    }

    void leakFixed(String text) {
        leaksFixed++;
        tell("Repaired leak ", text);
    }

    void checkError(String text) {
        checkErrors++;
        tell("Not checked: ", text);
    }

    void note(String text) {
        tell("", text);
    }

    CheckListener listener() {
        return listener;
    }

    CheckResult toResult(Qcow2Header header) {
        return new CheckResult(
                checkErrors,
                corruptions,
                leaks,
                corruptionsFixed,
                leaksFixed,
                (highestCluster + 1) << header.clusterBits(),
                header.geometry().clustersFor(header.sizeBytes()),
                allocatedClusters,
                compressedClusters,
                fragmentedClusters);
    }

    private void tell(String prefix, String text) {
        told++;
        if (told <= TOLD_MAX) {
            listener.finding(prefix + text);
        } else if (told == TOLD_MAX + 1) {
            listener.finding("and more: only the first " + TOLD_MAX + " findings are told");
        }
    }
}
