package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An image file of this machine, which need not exist yet.
 *
 * <p>Threading: immutable.
 *
 * @param path as it was given
 * @param format of the content
 * @param snapshot the id or name of an internal snapshot to be read instead of the disk; or null
 */
public record LocalImage(Path path, ImageFormat format, @Nullable String snapshot)
        implements ImageLocation {
    /** The disk itself. */
    public LocalImage(Path path, ImageFormat format) {
        this(path, format, null);
    }

    @Override
    public String text() {
        return snapshot == null ? NameText.of(path) : NameText.of(path) + "@" + snapshot;
    }

    @Override
    public LocalImage at(String newSnapshot) {
        if (format == ImageFormat.RAW) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "raw images have no snapshots: path=" + text() + ", snapshot=" + newSnapshot);
        }
        return new LocalImage(path, format, newSnapshot);
    }

    /**
     * The file with symbolic links followed, since backing files are looked for in the folder that
     * it really lies in.
     *
     * @throws BlockException ENOENT if there is no such file, EINVAL if it is something else
     */
    public Path existing() {
        try {
            Path real = NameText.absolute(path).toRealPath();
            if (!Files.isRegularFile(real)) {
                throw new BlockException(
                        BlockError.EINVAL, "not a regular file: path=" + absolute());
            }
            return real;
        } catch (NoSuchFileException e) {
            throw new BlockException(
                    BlockError.ENOENT, "no such image file: path=" + absolute(), e);
        } catch (IOException e) {
            throw Reason.failure("image file cannot be found", absolute(), e);
        }
    }

    /** Of one whose format is taken from its suffix; the option gives it. */
    void requireGuessRight(String option) {
        if (format == ImageFormat.RAW && ImageFormat.looksLikeQcow2(path)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "file begins as a qcow2 image and is named as a raw one: path="
                            + text()
                            + "; give "
                            + option
                            + " qcow2, or "
                            + option
                            + " raw if a guest has written that");
        }
    }

    /** The folder that a new file of this name would lie in, with symbolic links followed. */
    public Path folder() {
        Path parent = Objects.requireNonNull(NameText.absolute(path).normalize().getParent());
        try {
            Path folder = parent.toRealPath();
            if (!Files.isDirectory(folder)) {
                throw new BlockException(
                        BlockError.EINVAL, "not a folder: path=" + NameText.of(parent));
            }
            return folder;
        } catch (NoSuchFileException e) {
            throw new BlockException(BlockError.ENOENT, "no such folder: path=" + parent, e);
        } catch (IOException e) {
            throw Reason.failure("folder cannot be used", NameText.of(parent), e);
        }
    }

    /** The name in its folder. */
    public String fileName() {
        Path name = NameText.absolute(path).normalize().getFileName();
        if (name == null) {
            throw new BlockException(BlockError.EINVAL, "not the name of a file: path=" + text());
        }
        return NameText.of(name);
    }

    private String absolute() {
        return NameText.of(NameText.absolute(path));
    }
}
