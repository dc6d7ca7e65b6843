package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which backups of a disk stand on which.
 *
 * <p>Threading: immutable.
 */
final class Chains {
    private final Map<String, Backup> byName = new HashMap<>();

    Chains(List<Backup> backups) {
        backups.forEach(backup -> byName.put(backup.name(), backup));
    }

    /**
     * A backup and all that it stands on, the full one first.
     *
     * @throws BlockException EIO if one of them is damaged, is gone, or is not the one that it was
     */
    List<Backup> of(Backup top) {
        Deque<Backup> chain = new ArrayDeque<>();
        Backup link = top;
        chain.push(link);
        Manifest.Parent parent = link.requireManifest().parent();
        while (parent != null) {
            Backup below = byName.get(parent.name());
            if (below == null) {
                throw broken(link, "backup that it stands on is gone: parent=" + parent.name());
            }
            Manifest manifest = below.requireManifest();
            if (!below.manifestSha256().equals(parent.manifestSha256())) {
                throw broken(
                        link, "backup that it stands on is another one: parent=" + parent.name());
            }
            if (manifest.number() >= link.requireManifest().number()) {
                throw broken(link, "backup stands on a later one: parent=" + parent.name());
            }
            link = below;
            chain.push(link);
            parent = manifest.parent();
        }
        return new ArrayList<>(chain);
    }

    private static BlockException broken(Backup link, String why) {
        return new BlockException(
                BlockError.EIO,
                "chain of backups is broken: disk="
                        + link.disk()
                        + ", name="
                        + link.name()
                        + ", reason="
                        + why);
    }
}
