package io.quoin.qcow2.served;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.refcount.ExcessReferences;

/**
 * One check of an open image. At the end it lowers counts of leaks, if that is wanted and nothing
 * else was found.
 *
 * <p>Threading: confined(loop), but for the walk.
 */
final class CheckRun extends FrozenRun<CheckRun.Found, OpenCheck> {
    private final OpenImage image;
    private final boolean repairLeaks;
    private final CheckListener listener;

    record Found(CheckResult result, Findings findings) {}

    CheckRun(
            OpenImage image,
            CheckTurns turns,
            String fileName,
            boolean repairLeaks,
            CheckListener listener) {
        super(image, turns, fileName, "check");
        this.image = image;
        this.repairLeaks = repairLeaks;
        this.listener = listener;
    }

    @Override
    Found walk(FrozenImageFile file, ClusterRuns countedAhead) {
        Findings findings = new Findings(listener, countedAhead);
        return new Found(Qcow2Check.checkOpen(file, findings, heapShare()), findings);
    }

    @Override
    void walked(Found found) {
        CheckResult result = found.result();
        ExcessReferences leaks = found.findings().leaks();
        OpenCheck check = new OpenCheck(result, found.findings().countedAhead());
        boolean safe = result.corruptions() == 0 && result.checkErrors() == 0;
        if (!repairLeaks || !safe || leaks.size() == 0 || isStopped()) {
            end(check);
            return;
        }
        image.lower(
                leaks,
                error -> {
                    if (error.isOk()) {
                        end(check.lowered(leaks.lowered()));
                    } else {
                        fail(error, "leaks were not all repaired: " + error.text());
                    }
                });
    }
}
