package io.quoin.management.cli;

import io.quoin.management.operation.DiskAddress;
import io.quoin.snapshot.SnapshotName;

/**
 * {@code [VOLUME/]DISK@SNAPSHOT} as a request has it.
 *
 * <p>Threading: immutable.
 *
 * @param disk with its volume, where one is named
 * @param snapshot name or id
 */
record NamedSnapshot(String disk, String snapshot) {
    /**
     * Reads one.
     *
     * @throws io.quoin.block.BlockException EINVAL for anything else
     */
    static NamedSnapshot of(String text) {
        DiskAddress address = DiskAddress.of(text);
        SnapshotName name = SnapshotName.of(address.name());
        return new NamedSnapshot(address.with(name.disk()), name.snapshot());
    }

    @Override
    public String toString() {
        return disk + '@' + snapshot;
    }
}
