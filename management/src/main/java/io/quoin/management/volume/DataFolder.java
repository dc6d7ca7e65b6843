package io.quoin.management.volume;

import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The folder of an embedded volume and what lies in it.
 *
 * @param path absolute, but with its symbolic links as given: a short link is the way around the
 *     length limit of socket paths
 *     <p>Threading: immutable.
 */
public record DataFolder(Path path) {
    private static final String ENVIRONMENT = "QUOIN_DATA";

    public DataFolder {
        path = path.toAbsolutePath().normalize();
    }

    /** The folder given, or the default one of this process. */
    public static DataFolder choose(@Nullable Path given) {
        return given != null
                ? new DataFolder(given)
                : byDefault(System.getenv(), isRoot(), Path.of(System.getProperty("user.home")));
    }

    /**
     * $QUOIN_DATA, else /var/lib/quoin for root, else $XDG_DATA_HOME/quoin, else
     * ~/.local/share/quoin. Empty variables count as unset, and a relative $XDG_DATA_HOME is
     * ignored, as its specification says.
     */
    static DataFolder byDefault(Map<String, String> environment, boolean root, Path home) {
        String own = environment.getOrDefault(ENVIRONMENT, "");
        if (!own.isEmpty()) {
            return new DataFolder(Path.of(own));
        }
        if (root) {
            return new DataFolder(Path.of("/var/lib/quoin"));
        }
        String xdg = environment.getOrDefault("XDG_DATA_HOME", "");
        return xdg.startsWith("/")
                ? new DataFolder(Path.of(xdg, "quoin"))
                : new DataFolder(home.resolve(".local/share/quoin"));
    }

    /** The graph, written on the first start and used afterwards. */
    public Path volfile() {
        return path.resolve("volume.vol");
    }

    /** Where clients attach disks unless told otherwise. */
    public Path nbdSocket() {
        return path.resolve("nbd.sock");
    }

    /** Where a running daemon takes commands. */
    public Path controlSocket() {
        return path.resolve("control.sock");
    }

    Path lockFile() {
        return path.resolve("quoin.lock");
    }

    /** Makes the folder where it is missing. */
    public void create() {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new BlockException(
                    Reason.errorOf(e),
                    "cannot make the data folder: path="
                            + path
                            + ", reason="
                            + Reason.of(e)
                            + "; choose another one with --data or QUOIN_DATA",
                    e);
        }
    }

    private static boolean isRoot() {
        try {
            return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException | UnsupportedOperationException e) {
            return "root".equals(System.getProperty("user.name"));
        }
    }
}
