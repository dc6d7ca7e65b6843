package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An image with the files that it stands on, which can go to another folder together: all are qcow2
 * files of one folder, name each other by bare names, and nothing else in the folder stands on one.
 *
 * <p>Threading: immutable.
 */
public final class MovableChain {
    private static final String SUFFIX = ".qcow2";
    private static final int LINKS_MAX = 200;

    private MovableChain() {}

    /**
     * The files, the image itself last.
     *
     * @param top with links followed
     * @throws BlockException EINVAL or ENOTSUP if they cannot be moved, EPERM if others stand on
     *     one of them
     */
    public static List<Path> of(Path top) {
        List<Path> chain = new ArrayList<>();
        @Nullable Path at = top;
        while (at != null) {
            if (chain.contains(at) || chain.size() > LINKS_MAX) {
                throw refusal(BlockError.EINVAL, "backing files lead in a circle", at);
            }
            chain.add(0, at);
            at = below(at);
        }
        requireUnused(chain);
        return List.copyOf(chain);
    }

    private static @Nullable Path below(Path file) {
        HeaderReferences header;
        try {
            if (!ImageFormat.looksLikeQcow2(file)) {
                throw refusal(BlockError.EINVAL, "not a qcow2 image, import copies it", file);
            }
            header = FolderParents.readHeader(file);
        } catch (IOException e) {
            throw Reason.failure("image cannot be read", NameText.of(file), e);
        }
        if (header.dataFile() != null) {
            throw refusal(BlockError.ENOTSUP, "image has its data in another file", file);
        }
        String name = header.backingFile();
        if (name == null) {
            return null;
        }
        Path below = file.resolveSibling(NameText.path(name));
        if (name.indexOf('/') >= 0 || !name.endsWith(SUFFIX) || !isRegular(below)) {
            throw refusal(
                    BlockError.ENOTSUP,
                    "backing file cannot be moved with its image: backing file="
                            + NameText.printable(name)
                            + ", expected=a file *.qcow2 of the same folder, by its bare name",
                    file);
        }
        return below;
    }

    private static boolean isRegular(Path file) {
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
    }

    private static void requireUnused(List<Path> chain) {
        Path folder = Objects.requireNonNull(chain.get(0).getParent());
        List<String> names = chain.stream().map(NameText::lastOf).toList();
        Map<String, HeaderReferences> images = FolderParents.readAll(folder);
        images.keySet().removeAll(names);
        images.forEach(
                (image, header) -> {
                    String below = header.backingFile();
                    if (below != null && names.contains(below)) {
                        throw refusal(
                                BlockError.EPERM,
                                "another image of the folder stands on the file: used by=" + image,
                                folder.resolve(NameText.path(below)));
                    }
                });
    }

    private static BlockException refusal(BlockError error, String why, Path file) {
        return new BlockException(error, why + ", path=" + NameText.of(file));
    }
}
