package io.quoin.xlator;

/**
 * A file of an xlator, by its name.
 *
 * <p>Threading: immutable.
 *
 * @param fileName its name, without folders
 * @param sizeBytes its size as seen through the xlator: of an image, the virtual size
 * @param allocatedBytes what it takes up below; of a disk, without its backing files
 * @param fileId of two files of one folder it is different, whatever their names; 0: not known
 * @param changeStamp differs from an earlier one if the file of that name has been changed or
 *     replaced since; 0: not known, or changed so lately that a later change might not show
 */
public record FileInfo(
        String fileName, long sizeBytes, long allocatedBytes, long fileId, long changeStamp) {
    /** One of which id and stamp are not known. */
    public FileInfo(String fileName, long sizeBytes, long allocatedBytes) {
        this(fileName, sizeBytes, allocatedBytes, 0, 0);
    }
}
