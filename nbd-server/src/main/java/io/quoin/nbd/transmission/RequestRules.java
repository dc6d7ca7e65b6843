package io.quoin.nbd.transmission;

import io.quoin.block.BlockError;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;

/**
 * Which requests are legal, given what a client was told of the export. All checks of a header are
 * here; the layers below check no more of them.
 *
 * <p>Threading: immutable.
 */
final class RequestRules {
    private final long sizeBytes;
    private final int transmissionFlags;
    private final int alignmentMask;
    private final boolean hasBlockStatus;

    RequestRules(Session session) {
        sizeBytes = session.sizeBytes();
        transmissionFlags = session.transmissionFlags();
        alignmentMask = session.export().geometry().blockSizeMin() - 1;
        hasBlockStatus =
                session.structuredReplies()
                        && (session.baseAllocation() || session.dirtyBitmap() != null);
    }

    /** {@link BlockError#OK}, or what to answer. */
    BlockError check(Command command) {
        int legal = legalFlags(command.type);
        if (legal < 0 || (command.flags & ~legal) != 0) {
            return BlockError.EINVAL;
        }
        if (command.type == RequestLayout.FLUSH) {
            return BlockError.OK;
        }
        boolean changesData =
                switch (command.type) {
                    case RequestLayout.WRITE, RequestLayout.TRIM, RequestLayout.WRITE_ZEROES ->
                            true;
                    default -> false;
                };
        if (changesData && isOn(TransmissionFlags.READ_ONLY)) {
            return BlockError.EPERM;
        }
        return range(command);
    }

    private BlockError range(Command command) {
        // An offset of 2^63 and more is negative here, and no sum of two checked values overflows.
        boolean isInside =
                command.offsetBytes >= 0
                        && command.offsetBytes <= sizeBytes
                        && command.lengthBytes <= sizeBytes - command.offsetBytes;
        int type = command.type;
        if (!isInside) {
            return type == RequestLayout.WRITE || type == RequestLayout.WRITE_ZEROES
                    ? BlockError.ENOSPC
                    : BlockError.EINVAL;
        }
        if (((command.offsetBytes | command.lengthBytes) & alignmentMask) != 0) {
            return BlockError.EINVAL;
        }
        boolean hasPayload = type == RequestLayout.READ || type == RequestLayout.WRITE;
        if (hasPayload && command.lengthBytes > RequestLayout.PAYLOAD_BYTES_MAX) {
            return BlockError.EINVAL;
        }
        if (type == RequestLayout.BLOCK_STATUS && (!hasBlockStatus || command.lengthBytes == 0)) {
            return BlockError.EINVAL;
        }
        return BlockError.OK;
    }

    /** The flags that a client may set, or -1 if the command is not served. */
    private int legalFlags(int type) {
        int fua = isOn(TransmissionFlags.SEND_FUA) ? RequestLayout.FLAG_FUA : 0;
        return switch (type) {
            case RequestLayout.READ ->
                    fua | (isOn(TransmissionFlags.SEND_DF) ? RequestLayout.FLAG_DF : 0);
            case RequestLayout.WRITE, RequestLayout.FLUSH, RequestLayout.CACHE -> fua;
            case RequestLayout.TRIM ->
                    isOn(TransmissionFlags.SEND_TRIM) || isOn(TransmissionFlags.READ_ONLY)
                            ? fua
                            : -1;
            case RequestLayout.WRITE_ZEROES ->
                    fua
                            | RequestLayout.FLAG_NO_HOLE
                            | (isOn(TransmissionFlags.SEND_FAST_ZERO)
                                    ? RequestLayout.FLAG_FAST_ZERO
                                    : 0);
            case RequestLayout.BLOCK_STATUS -> fua | RequestLayout.FLAG_REQ_ONE;
            default -> -1;
        };
    }

    private boolean isOn(int flag) {
        return (transmissionFlags & flag) != 0;
    }
}
