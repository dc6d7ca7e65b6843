package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The disks that an operation on several of them is for: named one by one, or by the group that
 * they are kept in.
 *
 * <p>Threading: immutable.
 */
final class DiskChoice {
    private DiskChoice() {}

    /**
     * Their names.
     *
     * @throws BlockException EINVAL unless there is one of the two and each disk once, ENOENT
     *     without such a group
     */
    static List<String> of(
            @Nullable List<String> disks, @Nullable String group, ManagedVolume volume) {
        List<String> chosen;
        if (group != null && disks == null) {
            chosen = volume.disks().sets().get(group).disks();
        } else if (disks != null && group == null) {
            chosen = List.copyOf(disks);
        } else {
            throw new BlockException(BlockError.EINVAL, "disks: expected=either disks or a group");
        }
        if (chosen.isEmpty()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "disks: count=0"
                            + (group == null ? "" : ", group=" + group)
                            + ", expected=1 or more");
        }
        if (new HashSet<>(chosen).size() < chosen.size()) {
            throw new BlockException(
                    BlockError.EINVAL, "disks: names=" + chosen + ", expected=each once");
        }
        return chosen;
    }

    /** As a job shows it. */
    static String text(@Nullable List<String> disks, @Nullable String group) {
        return disks == null ? "group " + group : String.join(", ", disks);
    }
}
