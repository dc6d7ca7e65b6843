package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.BrickFolders;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.qcow2.parents.ReferenceGraph;
import io.quoin.xlator.NameText;
import io.quoin.xlator.TrashName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What images of a volume's folder stand on a file of it, so that the tools change no disk under
 * others. All children of such a file are in the folder; those of a file in any other folder may be
 * anywhere, and are its owner's business there.
 *
 * <p>Threading: confined to the thread of the tool.
 */
final class FolderParents {
    /**
     * By the suffix, as disks are images by it, those in the trash too: a raw disk's content is its
     * guest's.
     */
    private static final String IMAGES = "{*.qcow2,*.qcow2" + TrashName.MARK + "*}";

    private static final int FIRST_BYTES = 4096;

    private FolderParents() {}

    /**
     * Refuses to change a file that others stand on.
     *
     * @param file with links followed
     * @param except the name of an image that may, and what stands on that; or null
     * @throws BlockException EPERM naming them
     */
    static void requireUnused(Path file, @Nullable String except) {
        Path folder = Objects.requireNonNull(file.getParent());
        if (!BrickFolders.isBrick(folder)) {
            return;
        }
        String name = NameText.lastOf(file);
        Map<String, HeaderReferences> images = readAll(folder);
        images.remove(except == null ? "" : except);
        ReferenceGraph graph = new ReferenceGraph(images);
        refuse(file, graph.usersOf(name));
        HeaderReferences own = images.get(name);
        String dataFile = own == null ? null : own.dataFile();
        if (dataFile != null) {
            List<String> others = new ArrayList<>(graph.usersOf(dataFile));
            others.remove(name);
            refuse(folder.resolve(NameText.path(dataFile)), others);
        }
    }

    private static void refuse(Path file, List<String> users) {
        if (!users.isEmpty()) {
            throw new BlockException(
                    BlockError.EPERM,
                    "others stand on the file: path="
                            + NameText.of(file)
                            + ", used by="
                            + ReferenceGraph.text(users)
                            + "; remove them or give them another backing file first");
        }
    }

    /** The images of a folder by name. */
    static Map<String, HeaderReferences> readAll(Path folder) {
        Map<String, HeaderReferences> images = new HashMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, IMAGES)) {
            for (Path file : files) {
                String name = NameText.lastOf(file);
                boolean isImage = TrashName.fileNameOf(name).endsWith(".qcow2");
                if (isImage
                        && !name.startsWith(".")
                        && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                    images.put(name, read(file));
                }
            }
            return images;
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "cannot tell which images stand on which: folder="
                            + NameText.of(folder)
                            + ", reason="
                            + Reason.of(e),
                    e);
        }
    }

    /** What the header of a file names. */
    static HeaderReferences readHeader(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer first = read(channel, FIRST_BYTES);
            int needed = HeaderReferences.bytesNeeded(first);
            return HeaderReferences.parse(needed <= first.limit() ? first : read(channel, needed));
        }
    }

    private static HeaderReferences read(Path file) throws IOException {
        try {
            return readHeader(file);
        } catch (NoSuchFileException e) {
            return HeaderReferences.NONE;
        } catch (IOException e) {
            throw new IOException(
                    "image cannot be read: path=" + NameText.of(file) + ", reason=" + Reason.of(e),
                    e);
        }
    }

    private static ByteBuffer read(FileChannel channel, int lengthBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(lengthBytes);
        while (bytes.hasRemaining() && channel.read(bytes, bytes.position()) > 0) {
            // until all is there, or the file ends
        }
        return bytes.flip();
    }

    /** Whether {@code name}, as far as its chain is there, stands on {@code own} in the folder. */
    static boolean leadsTo(Path folder, String name, String own) {
        Set<String> seen = new HashSet<>();
        String at = name;
        while (at != null && seen.add(at)) {
            if (at.equals(own)) {
                return true;
            }
            try {
                Path file = folder.resolve(NameText.path(at));
                at = Files.isRegularFile(file) ? readHeader(file).backingFile() : null;
            } catch (IOException | BlockException e) {
                return false;
            }
        }
        return false;
    }
}
