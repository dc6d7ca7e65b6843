package io.quoin.qcow2.file;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;

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
     *
     * @param opener of such a file, given with links followed
     */
    static BackingFiles inFolder(Path folder, Function<Path, ImageFile> opener) {
        return name -> {
            try {
                Path real = folder.toRealPath();
                Path file = real.resolve(NameText.path(name));
                if (name.indexOf(':') >= 0
                        || name.startsWith("/")
                        || !file.normalize().startsWith(real)
                        || !file.toRealPath().startsWith(real)
                        || !Files.isRegularFile(file)) {
                    throw new BlockException(
                            BlockError.EPERM,
                            "backing file: name="
                                    + name
                                    + ", expected=a plain file in the folder of the image");
                }
                return opener.apply(file);
            } catch (IOException e) {
                throw Reason.failure("backing file cannot be opened", name, e);
            }
        };
    }
}
