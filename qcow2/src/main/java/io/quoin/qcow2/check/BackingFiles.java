package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Opens the backing files that images name.
 *
 * <p>Threading: confined to its user.
 */
@FunctionalInterface
public interface BackingFiles {
    /**
     * Opens the file that {@code name}, as it stands in an image and not to be trusted, means;
     * read-only.
     */
    ImageFile open(String name);

    /**
     * Plain names of files in {@code folder}, and nothing else: no path that leads out of it, no
     * protocol, no device, no link that leads out.
     */
    static BackingFiles inFolder(Path folder) {
        return name -> {
            try {
                Path real = folder.toRealPath();
                Path file = real.resolve(name);
                if (name.indexOf(':') >= 0
                        || Path.of(name).isAbsolute()
                        || !file.normalize().startsWith(real)
                        || !file.toRealPath().startsWith(real)
                        || !file.toFile().isFile()) {
                    throw new BlockException(
                            BlockError.EPERM,
                            "backing file: name="
                                    + name
                                    + ", expected=a plain file in the folder of the image");
                }
                return ChannelImageFile.open(file, false);
            } catch (InvalidPathException e) {
                throw new BlockException(
                        BlockError.EINVAL, "backing file: the name is no file name", e);
            } catch (IOException e) {
                throw Reason.failure("backing file cannot be opened", name, e);
            }
        };
    }
}
