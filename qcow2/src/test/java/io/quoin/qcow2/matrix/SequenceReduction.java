package io.quoin.qcow2.matrix;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds what of a sequence that fails matters.
 *
 * <p>Threading: stateless.
 */
final class SequenceReduction {
    private SequenceReduction() {}

    /** Carries out a sequence. */
    interface Run {
        void run(List<SequenceStep> steps) throws IOException;
    }

    /** Leaves out steps as long as it still fails. */
    static List<SequenceStep> leaveOut(List<SequenceStep> steps, Run run) {
        List<SequenceStep> left = new ArrayList<>(steps);
        for (int i = left.size() - 1; i >= 0; i--) {
            if (!left.get(i).kind().canBeLeftOut()) {
                continue;
            }
            List<SequenceStep> fewer = new ArrayList<>(left);
            fewer.remove(i);
            try {
                run.run(fewer);
            } catch (AssertionError | RuntimeException | IOException e) {
                left = fewer;
            }
        }
        return left;
    }
}
