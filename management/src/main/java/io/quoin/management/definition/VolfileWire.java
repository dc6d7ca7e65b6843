package io.quoin.management.definition;

import io.quoin.management.volume.DataFolder;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.replicate.wire.WireTiming;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.nio.file.Path;
import java.util.Map;

/**
 * How a volume reaches the brick daemons that it has.
 *
 * <p>Threading: immutable.
 */
final class VolfileWire {
    private VolfileWire() {}

    /**
     * As the first of them; on loopback addresses alone, without TLS, where there is none.
     *
     * @param folder what relative paths are relative to
     */
    static WireOptions of(Volfile volfile, DataFolder folder) {
        return volfile.volumes().stream()
                .filter(spec -> spec.type().equals("protocol/client"))
                .map(VolumeSpec::options)
                .map(options -> options(options, folder))
                .findFirst()
                .orElseGet(WireOptions::local);
    }

    private static WireOptions options(Map<String, String> options, DataFolder folder) {
        boolean isInsecure = options.getOrDefault("insecure", "off").equals("on");
        if (options.getOrDefault("tls-ca", "").isEmpty()) {
            return new WireOptions(null, isInsecure, WireTiming.byDefault());
        }
        TlsFiles files =
                new TlsFiles(
                        file(options, "tls-cert", folder),
                        file(options, "tls-key", folder),
                        file(options, "tls-ca", folder));
        return new WireOptions(files, isInsecure, WireTiming.byDefault());
    }

    private static Path file(Map<String, String> options, String name, DataFolder folder) {
        return folder.path().resolve(NameText.path(options.getOrDefault(name, "")));
    }
}
