package io.quoin.nbd.transmission;

import io.quoin.block.BlockError;
import io.quoin.nbd.protocol.RequestLayout;

/**
 * Errors as a client may see them: some are defined for some commands only.
 *
 * <p>Threading: immutable.
 */
final class WireErrors {
    private WireErrors() {}

    /** The error number to answer {@code command} with; 0 if it was done. */
    static int errno(Command command, BlockError error) {
        if (error.isOk()) {
            return 0;
        }
        if (command.type == RequestLayout.CACHE && error == BlockError.ENOTSUP) {
            return 0; // a hint, and not taken
        }
        if (command.type == RequestLayout.FLUSH && error != BlockError.ESHUTDOWN) {
            return BlockError.EIO.nbdErrno();
        }
        boolean isDefined =
                switch (error) {
                    case ENOTSUP -> command.has(RequestLayout.FLAG_FAST_ZERO);
                    case EOVERFLOW -> command.has(RequestLayout.FLAG_DF);
                    default -> true;
                };
        return isDefined ? error.nbdErrno() : BlockError.EINVAL.nbdErrno();
    }
}
