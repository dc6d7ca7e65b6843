package io.quoin.management.assemble;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.store.BrickImage;
import io.quoin.replicate.volume.CatalogueImage;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Finds the members of a volume among folders. Which replica set a brick is of its files tell: the
 * bricks of a set know the same ones.
 *
 * <p>Threading: confined to its thread; blocks.
 */
final class GivenBricks {
    private GivenBricks() {}

    /**
     * The brick folders that were given, volfiles replaced by those that they name.
     *
     * @throws BlockException ENOENT, naming what is not there
     */
    static List<Path> folders(List<Path> given) {
        Set<Path> folders = new LinkedHashSet<>();
        for (Path path : given) {
            if (!Files.exists(path)) {
                throw new BlockException(
                        BlockError.ENOENT, "no such brick or volfile: path=" + NameText.of(path));
            }
            if (Files.isDirectory(path)) {
                folders.add(NameText.absolute(path).normalize());
            } else {
                ofVolfile(path, folders);
            }
        }
        return List.copyOf(folders);
    }

    /** Folders that are missing are left out: the other copies may do. */
    private static void ofVolfile(Path volfile, Set<Path> folders) {
        Path base = NameText.absolute(volfile).resolveSibling("");
        for (VolumeSpec spec : Volfile.read(volfile).volumes()) {
            if (spec.type().equals("storage/posix")) {
                String directory = String.valueOf(spec.options().get("directory"));
                Path folder = base.resolve(NameText.path(directory)).normalize();
                if (Files.isDirectory(folder)) {
                    folders.add(folder);
                }
            }
        }
    }

    /**
     * The members.
     *
     * @param isStaleAllowed as for {@link ReplicaMember}
     * @throws BlockException EINVAL if the folders are not of one volume, or two have one place
     */
    static List<Member> members(List<Path> folders, boolean isStaleAllowed) {
        List<Path> labelled = folders.stream().filter(BrickImage::isBrick).toList();
        if (folders.isEmpty()) {
            throw new BlockException(BlockError.ENOENT, "no brick is there");
        }
        if (labelled.isEmpty()) {
            return folders.stream().<Member>map(FolderMember::new).toList();
        }
        if (labelled.size() < folders.size()) {
            List<Path> others = new ArrayList<>(folders);
            others.removeAll(labelled);
            throw new BlockException(
                    BlockError.EINVAL,
                    "folder has no label of a brick, as others have: path="
                            + NameText.of(others.get(0)));
        }
        List<Member> members = new ArrayList<>();
        for (SortedMap<Integer, BrickImage> set : sets(labelled)) {
            members.add(new ReplicaMember(set, isStaleAllowed));
        }
        return members;
    }

    private static List<SortedMap<Integer, BrickImage>> sets(List<Path> folders) {
        List<BrickImage> unused = new ArrayList<>();
        List<SortedMap<Integer, BrickImage>> sets = new ArrayList<>();
        BrickImage first = null;
        for (Path folder : folders) {
            BrickImage brick = BrickImage.read(folder);
            if (first == null) {
                first = brick;
            }
            requireSameVolume(first, brick);
            if (filesOf(brick).isEmpty()) {
                unused.add(brick);
            } else {
                add(sets, brick);
            }
        }
        if (sets.isEmpty()) {
            sets.add(new TreeMap<>());
        }
        if (sets.size() == 1) { // else they are of any of them, and add nothing
            unused.forEach(brick -> put(sets.get(0), brick));
        }
        return sets;
    }

    private static void requireSameVolume(BrickImage first, BrickImage brick) {
        if (!brick.volume().equals(first.volume()) || brick.layout() != first.layout()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "bricks are of two volumes: "
                            + NameText.of(first.folder())
                            + " of "
                            + first.volume()
                            + ", "
                            + NameText.of(brick.folder())
                            + " of "
                            + brick.volume());
        }
    }

    private static Set<UUID> filesOf(BrickImage brick) {
        Set<UUID> files = brick.files();
        files.remove(CatalogueImage.FILE);
        return files;
    }

    private static void add(List<SortedMap<Integer, BrickImage>> sets, BrickImage brick) {
        for (SortedMap<Integer, BrickImage> set : sets) {
            boolean isOfSet =
                    set.values().stream()
                            .anyMatch(
                                    other -> !Collections.disjoint(filesOf(other), filesOf(brick)));
            if (isOfSet) {
                put(set, brick);
                return;
            }
        }
        SortedMap<Integer, BrickImage> own = new TreeMap<>();
        own.put(brick.index(), brick);
        sets.add(own);
    }

    private static void put(SortedMap<Integer, BrickImage> set, BrickImage brick) {
        BrickImage other = set.putIfAbsent(brick.index(), brick);
        if (other != null) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "two bricks have one place in a set: index="
                            + brick.index()
                            + ", bricks="
                            + NameText.of(other.folder())
                            + ", "
                            + NameText.of(brick.folder())
                            + "; leave out the one that was replaced");
        }
    }
}
