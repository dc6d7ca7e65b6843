package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import java.util.ArrayList;
import java.util.List;
import org.agrona.collections.LongArrayList;

/**
 * Walks the tables of an L1 in batches by all workers; progress is told in between.
 *
 * <p>Threading: confined to the check, which waits while the workers walk.
 */
final class SideBySide {
    private static final int BATCH_MIN = 256;
    private static final int BATCH_BYTES = 64 << 20;

    private final ClosedImage image;
    private final ReferenceCounts counts;
    private final CheckReport report;
    private final TableWorkers workers;
    private final LongArrayList batch = new LongArrayList();
    private final List<CheckReport> reports = new ArrayList<>();
    private final List<TableWorkers.Visitor> visitors = new ArrayList<>();
    private final int batchMax;
    private boolean batchIsActive;

    SideBySide(
            ClosedImage image,
            ReferenceCounts counts,
            long countMax,
            CheckReport report,
            TableWorkers workers) {
        this.image = image;
        this.counts = counts;
        this.report = report;
        this.workers = workers;
        this.batchMax = Math.max(BATCH_MIN, BATCH_BYTES >>> image.clusterBits);
        for (int i = 0; i < workers.threads(); i++) {
            CheckReport own = new CheckReport(report.listener());
            References shared = new SharedReferences(image, counts, countMax);
            L2Walk walk = L2Walk.ofMany(image, shared, own);
            reports.add(own);
            visitors.add((offsets, from, to) -> walk.walk(offsets, from, to, batchIsActive));
        }
    }

    void add(long l2Offset, boolean active, boolean copied) {
        batchIsActive = active;
        if (active) {
            counts.markShared(l2Offset >>> image.clusterBits, 1, copied);
        }
        batch.addLong(l2Offset);
        if (batch.size() == batchMax) {
            walkBatch();
        }
    }

    void walkBatch() {
        workers.visit(batch.toLongArray(), L2Walk.tablesAtOnce(image), visitors);
        batch.clear();
    }

    /** All batches are walked. */
    void end() {
        reports.forEach(report::addClusters);
    }
}
