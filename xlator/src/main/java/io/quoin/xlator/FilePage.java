package io.quoin.xlator;

import java.util.List;

/**
 * Some files of an xlator, out of all that are sorted by name.
 *
 * <p>Threading: immutable.
 *
 * @param files in their order
 * @param isLast whether none come behind these
 */
public record FilePage(List<FileInfo> files, boolean isLast) {
    public FilePage {
        files = List.copyOf(files);
    }
}
