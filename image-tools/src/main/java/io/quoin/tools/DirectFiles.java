package io.quoin.tools;

import io.quoin.qcow2.file.ImageFile;
import java.nio.file.Path;

/**
 * Opens the file of an image beside the graph, for changes of its header and tables while it is not
 * open.
 */
@FunctionalInterface
interface DirectFiles {
    /**
     * Opens one.
     *
     * @throws io.quoin.block.BlockException ENOENT, EBUSY or EIO
     */
    ImageFile open(Path path, boolean writable);
}
