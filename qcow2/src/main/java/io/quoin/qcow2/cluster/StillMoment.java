package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.refcount.CountMoment;
import java.util.function.Consumer;

/**
 * Finds a moment at which it is known which counts differ from the references in memory, and
 * rightly so.
 *
 * <pre>
 *  RECORD   from now on clusters are noted that are handed out, or get one more reference
 *  BARRIER  the requests that are under way end: what was handed out before RECORD is in an entry in memory
 *  LOOK     between two tasks of the refcounts: handed out are what was noted, is reserved or being filled; going are
 *           those that are dropped, or wait to be freed
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class StillMoment extends WholeImageOp {
    private final ClusterRuns handedOut = new ClusterRuns();
    private final CountMoment.Found found;
    private final Outcome failed;

    StillMoment(
            MappedImage image,
            Consumer<IoRequest> changes,
            CountMoment.Found found,
            Outcome failed) {
        super(image, changes);
        this.found = found;
        this.failed = failed;
    }

    void begin() {
        image.refcounts.record(handedOut);
        takeTurn();
    }

    @Override
    protected void walk() {
        if (lock()) {
            position = end;
        }
    }

    @Override
    protected void left(BlockError outcome) {
        if (outcome.isOk()) {
            image.refcounts.look(this::look);
        } else {
            image.refcounts.record(null);
            failed.done(outcome);
        }
    }

    private void look() {
        image.refcounts.record(null);
        image.packer.addCurrent(handedOut);
        image.refcounts.addReserved(handedOut);
        ClusterRuns going = new ClusterRuns();
        image.flusher.addDropped(going);
        image.refcounts.addFreeing(going);
        found.at(handedOut, going);
    }
}
