package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.BrickMark;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which folders can be bricks of a new volume. What would lose data is refused in any case; what is
 * only unwise unless it is forced.
 *
 * <p>Threading: confined to its thread; blocks.
 */
final class BrickRules {
    private final VolumeDefinition definition;
    private final Map<Path, String> inUse;
    private final List<String> doubts = new ArrayList<>();

    /**
     * @param inUse the brick folders of the other volumes, and whose they are
     */
    BrickRules(VolumeDefinition definition, Map<Path, String> inUse) {
        this.definition = definition;
        this.inUse = inUse;
    }

    /**
     * @throws BlockException EINVAL, EEXIST or EBUSY, naming the folder
     */
    void check(boolean isForced) {
        List<BrickAddress> bricks = definition.addresses();
        for (int i = 0; i < bricks.size(); i++) {
            Path folder = bricks.get(i).folder();
            if (folder != null) {
                requireApart(folder, bricks, i);
                requireUnused(folder);
                doubt(folder);
                doubtCopies(folder, bricks, i);
            }
        }
        if (definition.replica() == 2) {
            doubts.add(
                    "replica 2 has no majority once a brick is lost: use replica 3, or replica 3"
                            + " arbiter 1");
        }
        requireNoDoubt(isForced);
    }

    /**
     * As {@link #check}, of one brick that is new among the others.
     *
     * @param number of the brick
     */
    void checkOne(int number, boolean isForced) {
        List<BrickAddress> bricks = definition.addresses();
        Path folder = bricks.get(number).folder();
        if (folder == null) {
            return;
        }
        List<BrickAddress> others = new ArrayList<>(bricks);
        others.remove(number);
        requireApart(folder, others, others.size());
        requireUnused(folder);
        doubt(folder);
        int set = number / definition.replica() * definition.replica();
        List<BrickAddress> copies =
                new ArrayList<>(bricks.subList(set, set + definition.replica()));
        copies.remove(number - set);
        copies.forEach(other -> doubtCopy(folder, other));
        requireNoDoubt(isForced);
    }

    private void requireNoDoubt(boolean isForced) {
        if (!doubts.isEmpty() && !isForced) {
            throw new BlockException(
                    BlockError.EINVAL, String.join("; ", doubts) + "; force makes it all the same");
        }
    }

    private static void requireApart(Path folder, List<BrickAddress> bricks, int number) {
        for (int i = 0; i < number; i++) {
            Path other = bricks.get(i).folder();
            if (other != null && isNested(folder, other)) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "bricks lie in one another: path="
                                + NameText.of(folder)
                                + ", other="
                                + NameText.of(other));
            }
        }
    }

    private void requireUnused(Path folder) {
        inUse.forEach(
                (other, volume) -> {
                    if (isNested(folder, other)) {
                        throw new BlockException(
                                BlockError.EBUSY,
                                "brick is already part of a volume: path="
                                        + NameText.of(folder)
                                        + ", volume="
                                        + volume
                                        + ", brick="
                                        + NameText.of(other));
                    }
                });
    }

    private static boolean isNested(Path a, Path b) {
        Path first = real(a);
        Path second = real(b);
        return first.startsWith(second) || second.startsWith(first);
    }

    private void doubt(Path folder) {
        String text = NameText.of(folder);
        if (device(folder) == device(Path.of("/"))) {
            doubts.add("brick is in the root partition: path=" + text);
        }
        Optional<String> mark = BrickMark.read(folder);
        if (mark.equals(Optional.of(definition.id()))) {
            return; // of an attempt that was cut short: formatting it looks at what is in it
        }
        mark.ifPresent(
                id -> doubts.add("brick is left of another volume: path=" + text + ", id=" + id));
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> content = Files.list(folder)) {
            if (content.anyMatch(file -> !NameText.lastOf(file).startsWith("."))) {
                doubts.add("brick is not empty: path=" + text);
            }
        } catch (IOException e) {
            throw Reason.failure("cannot look into the brick", text, e);
        }
    }

    private void doubtCopies(Path folder, List<BrickAddress> bricks, int number) {
        int set = number / definition.replica() * definition.replica();
        for (int i = set; i < number; i++) {
            doubtCopy(folder, bricks.get(i));
        }
    }

    private void doubtCopy(Path folder, BrickAddress copy) {
        Path other = copy.folder();
        if (other != null && device(other) == device(folder)) {
            doubts.add(
                    "two copies are on one disk: path="
                            + NameText.of(folder)
                            + ", other="
                            + NameText.of(other));
        }
    }

    /** Symbolic links resolved as far as the path exists. */
    private static Path real(Path folder) {
        Path existing = existing(folder);
        try {
            return existing.toRealPath().resolve(existing.relativize(folder)).normalize();
        } catch (IOException e) {
            throw Reason.failure("cannot look at the brick", NameText.of(folder), e);
        }
    }

    private static long device(Path folder) {
        try {
            return (Long) Files.getAttribute(existing(folder), "unix:dev");
        } catch (IOException e) {
            throw Reason.failure("cannot look at the brick", NameText.of(folder), e);
        }
    }

    private static Path existing(Path folder) {
        Path existing = folder;
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        return existing;
    }
}
