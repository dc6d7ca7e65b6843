package io.quoin.xlator;

import java.nio.file.Path;
import java.util.concurrent.CompletionStage;

/**
 * Takes files of the same file system into a brick without copying them: an extension of {@code
 * storage/posix}.
 *
 * <p>Threading: thread-safe. Stages complete on any thread and fail as those of {@link Xlator}.
 */
public interface FileAdoption {
    /**
     * Gives a file a second name, in the brick, once its content is durable; it is for its owner
     * alone from then on. The first name is left for the caller to remove, when the second is what
     * it is meant to be.
     *
     * @param source absolute, with links followed
     * @param fileName in the brick
     * @throws io.quoin.block.BlockException EXDEV as ENOTSUP if it lies on another file system,
     *     EINVAL if it is no regular file or has more than one name, EPERM if it is not of the
     *     brick's owner, EEXIST if there is a file of that name
     */
    CompletionStage<Void> adopt(Path source, String fileName);
}
