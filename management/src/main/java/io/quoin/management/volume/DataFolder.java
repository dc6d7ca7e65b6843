package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.PrivateFolder;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The folder of an embedded volume and what lies in it.
 *
 * <p>Threading: immutable.
 *
 * @param path absolute, but with its symbolic links as given: a short link is the way around the
 *     length limit of socket paths
 */
public record DataFolder(Path path) {
    /** The variable that names another than the default one. */
    public static final String ENVIRONMENT = "QUOIN_DATA";

    private static final Path OF_SYSTEM = Path.of("/var/lib/quoin");

    public DataFolder {
        path = NameText.absolute(path).normalize();
    }

    /**
     * The folder given, or the default one of this process.
     *
     * @param configured takes the place of the default one, unless the environment has another
     */
    public static DataFolder choose(@Nullable Path given, Supplier<@Nullable Path> configured) {
        if (given != null) {
            return new DataFolder(given);
        }
        Map<String, String> environment = ProcessText.environment();
        if (environment.getOrDefault(ENVIRONMENT, "").isEmpty()) {
            Path other = configured.get();
            if (other != null) {
                return new DataFolder(other);
            }
        }
        return byDefault(environment, isSystem(), home());
    }

    /**
     * $QUOIN_DATA, else /var/lib/quoin for root and for the user that owns it, else
     * $XDG_DATA_HOME/quoin, else ~/.local/share/quoin. Empty variables count as unset, and a
     * relative $XDG_DATA_HOME is ignored, as its specification says.
     */
    static DataFolder byDefault(Map<String, String> environment, boolean isSystem, Path home) {
        String own = environment.getOrDefault(ENVIRONMENT, "");
        if (!own.isEmpty()) {
            return new DataFolder(NameText.path(own));
        }
        if (isSystem) {
            return new DataFolder(OF_SYSTEM);
        }
        String xdg = environment.getOrDefault("XDG_DATA_HOME", "");
        return xdg.startsWith("/")
                ? new DataFolder(NameText.path(xdg).resolve("quoin"))
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

    /** What is kept of jobs. */
    public Path jobs() {
        return path.resolve("jobs");
    }

    /** What nodes of the graph keep. */
    public Path nodes() {
        return path.resolve("nodes");
    }

    /** What is done at times by a calendar. */
    public Path schedules() {
        return path.resolve("schedules");
    }

    /** Which disks are in the middle of an import of differences. */
    public Path imports() {
        return path.resolve("imports");
    }

    /** The other volumes of a service of this folder, a data folder each. */
    public Path volumes() {
        return path.resolve("volumes");
    }

    /** Whether a volume lies in the folder itself, made already or by hand. */
    public boolean hasVolume() {
        return Files.exists(volfile(), LinkOption.NOFOLLOW_LINKS) || hasBrick();
    }

    Path lockFile() {
        return path.resolve("quoin.lock");
    }

    /** Makes the folder where it is missing, for its owner alone. */
    public void create() {
        try {
            PrivateFolder.make(path);
        } catch (BlockException e) {
            throw new BlockException(
                    e.error(),
                    "cannot make the data folder: path="
                            + text()
                            + ", reason="
                            + Reason.of(e)
                            + "; choose another one with --data or QUOIN_DATA",
                    e);
        }
    }

    /**
     * For every command: that this user may look into the folder at all.
     *
     * @throws BlockException EPERM naming the folder and its owner
     */
    public void requireAccess() {
        if (Files.isDirectory(path) && !Files.isExecutable(path)) {
            String owner = "another user";
            try {
                owner = Files.getOwner(path).getName();
            } catch (IOException | UnsupportedOperationException e) {
                owner = "another user"; // which one cannot be told either
            }
            throw new BlockException(
                    BlockError.EPERM,
                    "no permission to enter the data folder: path="
                            + text()
                            + ", owner="
                            + owner
                            + "; run this as that user or as root, or choose another folder with"
                            + " --data or QUOIN_DATA");
        }
    }

    /**
     * For what only looks, or needs a volume that is there.
     *
     * @param volfile the graph to use instead of the folder's own; null for that
     * @throws BlockException ENOENT if there is no volume, as behind a name that is mistyped
     */
    public void requireVolume(@Nullable Path volfile) {
        boolean isThere = volfile == null ? hasVolume() : Files.isDirectory(path);
        if (!isThere) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "no volume in the data folder: path="
                            + text()
                            + ", expected=one that 'quoin serve' or 'quoin disk create' has made;"
                            + " choose another folder with --data or QUOIN_DATA");
        }
    }

    /** Images that were put there by hand, or whose volfile was lost: the graph is made anew. */
    private boolean hasBrick() {
        return Files.isDirectory(path.resolve("brick"), LinkOption.NOFOLLOW_LINKS);
    }

    /** Its path, for messages. */
    public String text() {
        return NameText.of(path);
    }

    /** This user's, as the JVM has it, unless the locale has lost something of it. */
    public static Path home() {
        String known = System.getProperty("user.home");
        String given = ProcessText.environment().getOrDefault("HOME", "");
        return NameText.path(
                ProcessText.mayHaveLost(known) && given.startsWith("/") ? given : known);
    }

    /**
     * Whether this process is root's, or of the user that the machine's service runs as: the one
     * that owns its folder.
     */
    public static boolean isSystem() {
        try {
            Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            return Integer.valueOf(0).equals(user)
                    || (Files.isDirectory(OF_SYSTEM)
                            && Files.getAttribute(OF_SYSTEM, "unix:uid").equals(user));
        } catch (IOException | UnsupportedOperationException e) {
            return "root".equals(System.getProperty("user.name"));
        }
    }
}
