package io.quoin.qcow2.served;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.info.SpaceAccount;
import io.quoin.qcow2.info.SpaceUsage;
import io.quoin.qcow2.io.ClusterRuns;

/**
 * One look at what takes the space of an open image.
 *
 * <p>Threading: confined(loop), but for the walk.
 */
final class UsageRun extends FrozenRun<SpaceUsage, SpaceUsage> {
    private final CheckListener listener;

    UsageRun(OpenImage image, CheckTurns turns, String fileName, CheckListener listener) {
        super(image, turns, fileName, "count");
        this.listener = listener;
    }

    @Override
    SpaceUsage walk(FrozenImageFile file, ClusterRuns countedAhead) {
        return SpaceAccount.of(ClosedImage.open(file), listener, heapShare());
    }

    @Override
    void walked(SpaceUsage found) {
        end(found);
    }
}
