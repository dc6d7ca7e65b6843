package io.quoin.xlator;

/**
 * A file of an xlator, by its name.
 *
 * @param fileName its name, without folders
 * @param sizeBytes its size as seen through the xlator: of an image, the virtual size
 * @param allocatedBytes what it takes up below; of a disk, without its backing files
 *     <p>Threading: immutable.
 */
public record FileInfo(String fileName, long sizeBytes, long allocatedBytes) {}
