package io.quoin.dist;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;

/** What the build has made, and what a test needs to install it apart from this machine. */
final class Packages {
    private static final Path FOLDER = Path.of(System.getProperty("quoin.packages"));
    private static final Duration LIMIT = Duration.ofMinutes(9);

    static final String VERSION = System.getProperty("quoin.version");

    /** A root that is this machine's, with a layer of its own on it that is gone afterwards. */
    static final String ROOT =
            """
            package=$1
            layers=$(mktemp -d)
            mount -t tmpfs none "$layers"
            mkdir "$layers/upper" "$layers/work" "$layers/root"
            root=$layers/root
            mount -t overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" none "$root"
            mount -t proc proc "$root/proc"
            mount -t tmpfs none "$root/run"
            mount --bind /dev "$root/dev"
            rm -rf "$root/var/lib/quoin" "$root/var/cache/quoin"
            cp "$package" "$root/run/quoin.deb"
            """;

    private Packages() {}

    static Path archive() {
        return FOLDER.resolve("quoin-" + VERSION + ".tar.gz");
    }

    static Path debianPackage() {
        return FOLDER.resolve("quoin_" + VERSION + "_all.deb");
    }

    /** Whether this process may have mounts of its own, as root of a machine may. */
    static void assumeMounts() {
        PeerResult probe =
                PeerCommand.of(
                                "unshare",
                                "-m",
                                "sh",
                                "-c",
                                "d=$(mktemp -d) && mount -t tmpfs t $d && mkdir $d/u $d/w $d/r &&"
                                        + " mount -t overlay -o lowerdir=/,upperdir=$d/u,workdir=$d/w o $d/r"
                                        + " && umount $d/r $d && rmdir $d")
                        .run();
        if (probe.exitCode() != 0) {
            Assumptions.abort("this process may not mount: " + probe.stderr().strip());
        }
    }

    /** Runs a script of sh with mounts of its own, which end with it. */
    static PeerResult runApart(String script, String... arguments) {
        String[] argv = new String[arguments.length + 6];
        argv[0] = "unshare";
        argv[1] = "-m";
        argv[2] = "sh";
        argv[3] = "-euc";
        argv[4] = script;
        argv[5] = "sh";
        System.arraycopy(arguments, 0, argv, 6, arguments.length);
        return PeerCommand.of(argv).deadline(LIMIT).runOk();
    }
}
