package io.quoin.tools;

import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The files that an open image stands on: a program that replaces one of them changes what it reads
 * as.
 *
 * <p>Threading: immutable.
 */
final class LayerFiles {
    private LayerFiles() {}

    /**
     * Its own file, those of its backing chain, and the data files of all of them, with symbolic
     * links followed. None for an image behind an address.
     */
    static Set<Path> of(OpenedImage image) {
        Set<Path> files = new LinkedHashSet<>();
        if (image.location() instanceof LocalImage local) {
            Path path = local.existing();
            files.add(path);
            for (Object layer = image.details(); layer instanceof Map<?, ?> details; ) {
                addBeside(path, details.get("data-file"), files);
                addBeside(path, details.get("backing-file"), files);
                layer = details.get("backing");
            }
        }
        return files;
    }

    /** They all lie in one folder, and none of these is a link. */
    private static void addBeside(Path path, @Nullable Object name, Set<Path> files) {
        if (name != null) {
            files.add(path.resolveSibling(NameText.path(name.toString())));
        }
    }
}
