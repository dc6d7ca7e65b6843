package io.quoin.tools;

import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Makes an image where there is no file yet. If it fails, or a signal comes, nothing of it stays.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Create {
    private final ImageSession session;

    public Create(ImageSession session) {
        this.session = session;
    }

    /**
     * Makes it, as {@link ImageSession#create} does.
     *
     * @return its size, which a backing file may have given it
     * @throws BlockException EEXIST if there is a file of that name, EINVAL naming the option that
     *     is wrong
     */
    public long run(LocalImage image, CreateOptions options) {
        Path place = image.folder().resolve(NameText.path(image.fileName()));
        Path dataFile = newDataFile(place, options);
        SignalCleanUp cleanUp =
                new SignalCleanUp(image.folder(), true, () -> removeHalf(place, dataFile));
        try {
            session.create(image, options);
        } finally {
            cleanUp.close();
        }
        try (OpenedImage made = session.open(image, OpenMode.READ_ONLY)) {
            return made.geometry().sizeBytes();
        }
    }

    /** Null for one that is there already, which will be refused. */
    private static @Nullable Path newDataFile(Path place, CreateOptions options) {
        String name = options.options().getOrDefault("data_file", "");
        Path path = name.isEmpty() ? null : place.resolveSibling(NameText.path(name));
        return path == null || Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? null : path;
    }

    /** Once the unfinished image is gone it cannot get its name any more. */
    private static void removeHalf(Path place, @Nullable Path dataFile) {
        if (dataFile != null && !Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            SignalCleanUp.removeOrSay(dataFile);
        }
    }
}
