package io.quoin.qcow2.check;

import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.SnapshotTable;
import io.quoin.qcow2.layout.SnapshotTableLayout;
import org.jspecify.annotations.Nullable;

/**
 * Reads those snapshots of a table that can be read, and reports what is wrong with the others.
 *
 * <p>Threading: confined to the check.
 */
final class SnapshotReading implements SnapshotTableLayout.Faults {
    private final ClosedImage image;
    private final CheckReport report;
    private final @Nullable Relocations relocations;
    private boolean faulty;

    /**
     * @param relocations hears of a table that has to be written anew; null: nothing does
     */
    SnapshotReading(ClosedImage image, CheckReport report, @Nullable Relocations relocations) {
        this.image = image;
        this.report = report;
        this.relocations = relocations;
    }

    /** As it is, or as it will be when what it has to have is added. */
    SnapshotTable read() {
        boolean hidden = report.referencesHidden;
        SnapshotTable table = image.snapshots(this);
        if (relocations != null && faulty) {
            SnapshotTableLayout.Repaired repaired = image.repairedSnapshots();
            if (repaired != null) {
                report.referencesHidden = hidden;
                relocations.rewriteSnapshots(repaired.table());
                return image.snapshots(repaired, this);
            }
        }
        return table;
    }

    @Override
    public void mild(String fault) {
        faulty = true;
        report.corruption(fault);
    }

    /** Its clusters are not known: none may be taken for leaked. */
    @Override
    public void severe(BlockException fault) {
        report.corruption(String.valueOf(fault.getMessage()));
        report.referencesHidden = true;
    }

    @Override
    public void end(BlockException fault) {
        faulty = true;
        report.checkError(String.valueOf(fault.getMessage()));
        report.referencesHidden = true;
    }
}
