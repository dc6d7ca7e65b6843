package io.quoin.qcow2.parents;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Which images stand on which files: an extension of {@code features/qcow2}.
 *
 * <p>Threading: thread-safe.
 */
public interface ImageTree {
    /**
     * The images that cannot be opened without {@code file}, directly or through others, the
     * closest first; none where files may have children anywhere.
     */
    CompletionStage<List<String>> usersOf(String file);
}
