package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * How either end treats its connections.
 *
 * <p>Threading: immutable.
 *
 * @param tls null: none, on loopback addresses alone
 * @param isInsecure whether other addresses may be used without TLS: any host that reaches them can
 *     then read and write all data
 */
public record WireOptions(@Nullable TlsFiles tls, boolean isInsecure, WireTiming timing) {
    /** Loopback, without TLS. */
    public static WireOptions local() {
        return new WireOptions(null, false, WireTiming.byDefault());
    }

    /** Mutual TLS. */
    public static WireOptions with(TlsFiles tls) {
        return new WireOptions(tls, false, WireTiming.byDefault());
    }

    void check(InetSocketAddress address) {
        if (tls == null && !isInsecure && !address.getAddress().isLoopbackAddress()) {
            throw new BlockException(
                    BlockError.EPERM,
                    "address needs TLS: address="
                            + BrickAddress.of(address)
                            + ", expected=certificate, key and CA, or a loopback address");
        }
    }
}
