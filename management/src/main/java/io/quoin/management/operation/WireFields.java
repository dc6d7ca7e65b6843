package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.replicate.wire.WireTiming;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The fields of requests that say how brick daemons are reached.
 *
 * <p>Threading: immutable.
 */
final class WireFields {
    private WireFields() {}

    /**
     * What they mean.
     *
     * @throws BlockException EINVAL unless all files are given, as absolute paths, or none
     */
    static WireOptions options(
            @Nullable String tlsCert,
            @Nullable String tlsKey,
            @Nullable String tlsCa,
            @Nullable Boolean insecure) {
        boolean isInsecure = Boolean.TRUE.equals(insecure);
        if (tlsCert == null && tlsKey == null && tlsCa == null) {
            return new WireOptions(null, isInsecure, WireTiming.byDefault());
        }
        TlsFiles files =
                new TlsFiles(
                        file("tlsCert", tlsCert), file("tlsKey", tlsKey), file("tlsCa", tlsCa));
        return new WireOptions(files, isInsecure, WireTiming.byDefault());
    }

    private static Path file(String field, @Nullable String path) {
        if (path == null || !path.startsWith("/")) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal file: field="
                            + field
                            + ", value="
                            + path
                            + ", expected=an absolute path, and all of tlsCert, tlsKey, tlsCa");
        }
        return NameText.path(path);
    }
}
