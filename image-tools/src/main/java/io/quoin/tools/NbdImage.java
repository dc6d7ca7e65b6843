package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.nbd.client.NbdUri;

/**
 * A disk behind an NBD address. It is raw, and it is there already.
 *
 * <p>Threading: immutable.
 *
 * @param uri the address
 * @param text as it was given
 */
public record NbdImage(NbdUri uri, String text) implements ImageLocation {
    @Override
    public ImageLocation at(String snapshot) {
        throw new BlockException(
                BlockError.EINVAL,
                "an NBD export has no snapshots: address=" + text + ", snapshot=" + snapshot);
    }
}
