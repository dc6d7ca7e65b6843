package io.quoin.management.volume;

import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NodeStates;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What nodes keep, in a file each of the data folder.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class FolderStates implements NodeStates {
    private final Path folder;

    /**
     * @param folder made with the first that is kept
     */
    FolderStates(Path folder) {
        this.folder = folder;
    }

    /** Names of nodes are any text; no two have one file. */
    private Path file(String node) {
        return folder.resolve(URLEncoder.encode(node, StandardCharsets.UTF_8) + ".state");
    }

    @Override
    public Optional<byte[]> read(String node) {
        Path file = file(node);
        try {
            return Optional.of(Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw Reason.failure("cannot read what a node keeps", NameText.of(file), e);
        }
    }

    @Override
    public void write(String node, byte[] content) {
        PrivateFolder.make(folder);
        DurableFile.put(file(node), content);
    }
}
