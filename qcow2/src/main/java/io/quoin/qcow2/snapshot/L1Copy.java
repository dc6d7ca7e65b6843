package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.L1Entry;

/**
 * An L1 table in clusters of its own, whose entries do not say COPIED: what they lead to is shared.
 *
 * <p>Threading: confined(loop).
 */
final class L1Copy {
    private final ImageParts parts;
    private final MetadataKind kind;
    private final int clusterBits;
    private final long[] l1;
    private long firstCluster;

    L1Copy(ImageParts parts, MetadataKind kind, long[] l1) {
        this.parts = parts;
        this.kind = kind;
        this.clusterBits = parts.header().header().clusterBits();
        this.l1 = l1;
    }

    /** Where it is, once it has been made. */
    long hostOffset() {
        return firstCluster << clusterBits;
    }

    /** Allocates and writes it, without a flush; of one that fails nothing is left. */
    void make(Outcome outcome) {
        parts.refcounts()
                .allocateRun(
                        clusters(),
                        first -> {
                            if (first < 0) {
                                outcome.done(refusalOr(BlockError.ENOSPC));
                            } else {
                                firstCluster = first;
                                write(outcome);
                            }
                        });
    }

    private BlockError refusalOr(BlockError error) {
        return parts.io().health().isWritable() ? error : parts.io().health().refusal();
    }

    private int clusters() {
        long mask = (1L << clusterBits) - 1;
        return Math.max(1, (int) (((long) l1.length * Long.BYTES + mask) >>> clusterBits));
    }

    private void write(Outcome outcome) {
        int lengthBytes = clusters() << clusterBits;
        parts.io().map().addAll(firstCluster, clusters(), kind);
        TransferMemory memory;
        try {
            memory = new TransferMemory(lengthBytes);
        } catch (OutOfMemoryError e) {
            written(BlockError.ENOMEM, outcome);
            return;
        }
        for (int i = 0; i < l1.length; i++) {
            memory.bytes().putLong(i * Long.BYTES, l1[i] & ~L1Entry.COPIED);
        }
        parts.io()
                .write(
                        kind,
                        hostOffset(),
                        memory.address(),
                        lengthBytes,
                        error -> {
                            memory.close();
                            written(error, outcome);
                        });
    }

    private void written(BlockError error, Outcome outcome) {
        if (!error.isOk()) {
            free();
        }
        outcome.done(error);
    }

    /** Nothing leads to it, nor will. */
    void free() {
        ClusterRuns runs = new ClusterRuns();
        runs.add(firstCluster, clusters());
        parts.refcounts().unreferenced(runs);
    }
}
