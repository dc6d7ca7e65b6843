package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.Layout;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/**
 * The folder of a brick that no process has open, read as it is: nothing in it is changed.
 *
 * <p>Threading: immutable; blocks.
 */
public final class BrickImage {
    private final Path folder;
    private final BrickLabel label;
    private final LogState state;

    private BrickImage(Path folder, BrickLabel label, LogState state) {
        this.folder = folder;
        this.label = label;
        this.state = state;
    }

    /** Whether the folder is one of a brick. */
    public static boolean isBrick(Path folder) {
        return Files.exists(folder.resolve(BrickLabel.NAME));
    }

    /**
     * Reads label and log.
     *
     * @throws BlockException EIO if they are damaged, naming the folder; ENOENT if they are missing
     */
    public static BrickImage read(Path folder) {
        try {
            BrickLabel label = BrickLabel.decode(content(folder, BrickLabel.NAME));
            LogReader log = new LogReader(content(folder, LogFiles.NAME));
            RecordCodec codec = new RecordCodec(label.index(), label.layout());
            LogState state = new LogState(codec, label.brick());
            log.replay(records -> codec.decode(records, state));
            return new BrickImage(folder, label, state);
        } catch (BlockException e) {
            throw new BlockException(
                    e.error(),
                    "brick cannot be read: path="
                            + NameText.of(folder)
                            + ", reason="
                            + e.getMessage(),
                    e);
        }
    }

    private static byte[] content(Path folder, String name) {
        try {
            return Files.readAllBytes(folder.resolve(name));
        } catch (IOException e) {
            throw Reason.failure("cannot read the file", name, e);
        }
    }

    /** Where it is. */
    public Path folder() {
        return folder;
    }

    /** The volume that it is of. */
    public UUID volume() {
        return label.volume();
    }

    /** Its number in its replica set. */
    public int index() {
        return label.index();
    }

    /** Of its replica set. */
    public Layout layout() {
        return label.layout();
    }

    /** The files that it knows, the catalogue of names among them. */
    public Set<UUID> files() {
        return new TreeSet<>(state.files().keySet());
    }

    /** What it has recorded of a file; empty if it does not know it. */
    public Optional<BrickMetadata> metadata(UUID file) {
        return Optional.ofNullable(state.files().get(file));
    }

    /**
     * The copy of a file.
     *
     * @throws BlockException ENOENT if it is not there
     */
    public CopyImage open(UUID file) {
        BrickMetadata metadata = state.files().get(file);
        if (metadata == null) {
            throw new BlockException(BlockError.ENOENT, "no such file: id=" + file);
        }
        return new CopyImage(folder, file, label.geometry(), metadata.active());
    }
}
