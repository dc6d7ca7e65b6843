package io.quoin.management.assemble;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.CurrentCopies;
import io.quoin.replicate.Layout;
import io.quoin.replicate.store.BrickImage;
import io.quoin.replicate.volume.CatalogueImage;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;

/** A replica set, of which some bricks may be missing. */
final class ReplicaMember implements Member {
    private final SortedMap<Integer, BrickImage> bricks;
    private final Layout layout;
    private final boolean isStaleAllowed;
    private final SortedMap<String, UUID> files;

    /**
     * @param bricks by their numbers in the set; at least one
     * @param isStaleAllowed whether the newest copy there is will do, though bricks that are
     *     missing may have a newer one
     * @throws BlockException EIO if the names cannot be read, or are not current
     */
    ReplicaMember(SortedMap<Integer, BrickImage> bricks, boolean isStaleAllowed) {
        this.bricks = new TreeMap<>(bricks);
        this.layout = brick(bricks.firstKey()).layout();
        this.isStaleAllowed = isStaleAllowed;
        try (SourceFile catalogue = open(CatalogueImage.FILE, "names of the volume")) {
            this.files =
                    CatalogueImage.names(
                            (offsetBytes, lengthBytes) ->
                                    bytes(catalogue, offsetBytes, lengthBytes));
        }
    }

    private static byte[] bytes(SourceFile file, long offsetBytes, int lengthBytes) {
        ByteBuffer all = ByteBuffer.allocate(CopiesFile.wholeBlocks(lengthBytes));
        file.read(offsetBytes, all);
        byte[] wanted = new byte[lengthBytes];
        all.flip().get(wanted);
        return wanted;
    }

    @Override
    public String text() {
        return bricks.values().stream()
                .map(brick -> NameText.of(brick.folder()))
                .collect(Collectors.joining(", ", "[", "]"));
    }

    @Override
    public SortedSet<String> names() {
        return new TreeSet<>(files.keySet());
    }

    private UUID file(String name) {
        UUID file = files.get(name);
        if (file == null) {
            throw new BlockException(BlockError.ENOENT, "no such file: name=" + name);
        }
        return file;
    }

    @Override
    public boolean isClean(String name) {
        return copies(file(name)).newest().isClean();
    }

    @Override
    public SourceFile open(String name) {
        return open(file(name), name);
    }

    private CurrentCopies copies(UUID file) {
        SortedMap<Integer, BrickMetadata> known = new TreeMap<>();
        bricks.forEach(
                (index, brick) ->
                        brick.metadata(file).ifPresent(metadata -> known.put(index, metadata)));
        return new CurrentCopies(layout, known);
    }

    private SourceFile open(UUID file, String name) {
        CurrentCopies copies = copies(file);
        List<Integer> sources = copies.isMajority() ? copies.current() : List.of();
        if (sources.isEmpty() && isStaleAllowed) {
            sources = copies.newestThereIs();
        }
        if (sources.isEmpty()) {
            throw new BlockException(
                    BlockError.EIO,
                    "no copy is known to be current: file="
                            + name
                            + ", bricks="
                            + text()
                            + ", missing="
                            + missing()
                            + (copies.isMajority()
                                    ? ", current on=" + copies.newest().isr().keySet()
                                    : ", expected=a majority of the set's bricks"));
        }
        List<BrickImage> images = new ArrayList<>();
        sources.forEach(index -> images.add(brick(index)));
        return CopiesFile.open(name, file, images);
    }

    private BrickImage brick(int index) {
        return Objects.requireNonNull(bricks.get(index));
    }

    /** The numbers of bricks that were not given. */
    private List<Integer> missing() {
        List<Integer> missing = new ArrayList<>();
        for (int index = 0; index < layout.voters(); index++) {
            if (!bricks.containsKey(index)) {
                missing.add(index);
            }
        }
        return missing;
    }
}
