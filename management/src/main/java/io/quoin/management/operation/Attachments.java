package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * Where disks can be attached, and what is attached there.
 *
 * <p>Threading: thread-safe.
 */
public interface Attachments {
    NbdAddresses addresses();

    /**
     * Closes the connections that have an export open, each once the requests that it has taken up
     * are answered; does not wait for that.
     *
     * @param export as it is called where all volumes meet
     * @return how many there were
     */
    int disconnect(String export);

    /** Of a volume that no service has: the addresses that the service will have. */
    static Attachments none(NbdAddresses whenServed) {
        return new Attachments() {
            @Override
            public NbdAddresses addresses() {
                return whenServed;
            }

            @Override
            public int disconnect(String export) {
                throw new BlockException(
                        BlockError.ESHUTDOWN, "no service runs on the volume: name=" + export);
            }
        };
    }
}
