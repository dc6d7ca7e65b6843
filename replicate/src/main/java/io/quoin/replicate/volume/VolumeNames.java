package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;

/**
 * Which names files of a volume may have: those of files of a folder, so that a volume can be
 * copied to one.
 *
 * <p>Threading: immutable.
 */
final class VolumeNames {
    private static final int LENGTH_BYTES_MAX = 255;

    private VolumeNames() {}

    /**
     * Accepts a name.
     *
     * @throws BlockException EINVAL for one that no file may have
     */
    static void check(String fileName) {
        boolean isPlain = fileName.indexOf('/') < 0 && fileName.indexOf('\0') < 0;
        boolean isDots = fileName.equals(".") || fileName.equals("..");
        int lengthBytes = NameText.bytes(fileName).length;
        if (!isPlain || isDots || lengthBytes == 0 || lengthBytes > LENGTH_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal file name: name="
                            + NameText.printable(fileName)
                            + ", expected=1 to "
                            + LENGTH_BYTES_MAX
                            + " bytes without / and NUL, not . or ..");
        }
    }
}
