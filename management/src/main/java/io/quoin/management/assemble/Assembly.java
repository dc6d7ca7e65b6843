package io.quoin.management.assemble;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.stripe.StripedPart;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The files that can be put together from the bricks of a volume that is not open. Finding them
 * reads the start of each file, so that what is incomplete is known before anything is written.
 *
 * <p>Threading: confined to its thread; blocks.
 */
public final class Assembly {
    private final List<Member> members;
    private final SortedMap<String, Plan> plans = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();

    /** Where a part of a striped file is. */
    private record Place(Member member, String name, StripedPart part) {}

    /** Where a file is: all parts in order, or the one file. */
    private record Plan(List<Member> members, List<String> names, Optional<StripedPart> striped) {}

    private Assembly(List<Member> members) {
        this.members = members;
    }

    /**
     * Looks for the files.
     *
     * @param given brick folders, and volfiles that name them
     * @param isStaleAllowed whether the newest copies there are will do, though bricks that are
     *     missing may have newer ones
     * @throws BlockException if the bricks do not go together, naming them
     */
    public static Assembly of(List<Path> given, boolean isStaleAllowed) {
        Assembly assembly =
                new Assembly(GivenBricks.members(GivenBricks.folders(given), isStaleAllowed));
        assembly.find();
        return assembly;
    }

    /** The folders of bricks that are read. */
    public static List<Path> folders(List<Path> given) {
        return GivenBricks.folders(given);
    }

    private void find() {
        Map<UUID, SortedMap<Integer, Place>> parts = new HashMap<>();
        for (Member member : members) {
            for (String name : member.names()) {
                try {
                    find(member, name, parts);
                } catch (BlockException e) {
                    problems.add(e.getMessage());
                }
            }
        }
        parts.values().forEach(this::plan);
    }

    private void find(Member member, String name, Map<UUID, SortedMap<Integer, Place>> parts) {
        Optional<StripedPart> part = part(member, name);
        if (part.isPresent()) {
            SortedMap<Integer, Place> places =
                    parts.computeIfAbsent(part.get().fileId(), id -> new TreeMap<>());
            Place other =
                    places.putIfAbsent(part.get().number(), new Place(member, name, part.get()));
            if (other != null) {
                problems.add(
                        "part of a file is there twice: file="
                                + name
                                + ", part="
                                + part.get().number()
                                + ", bricks="
                                + other.member.text()
                                + ", "
                                + member.text());
            }
        } else if (members.size() == 1) {
            plans.put(name, new Plan(List.of(member), List.of(name), part));
        } else {
            problems.add(
                    "not a part of a striped file: file=" + name + ", bricks=" + member.text());
        }
    }

    private static Optional<StripedPart> part(Member member, String name) {
        try (SourceFile file = member.open(name)) {
            if (file.sizeBytes() < StripedPart.START_BYTES) {
                return Optional.empty();
            }
            ByteBuffer start = ByteBuffer.allocate(StripedPart.START_BYTES);
            file.read(0, start);
            return StripedPart.find(start.flip());
        }
    }

    /** Its first part says whether there is a file, and what it is called. */
    private void plan(SortedMap<Integer, Place> places) {
        Place first = places.get(0);
        Place any = Objects.requireNonNull(places.get(places.firstKey()));
        if (first != null && StripedPart.isUnlinked(first.name)) {
            return; // a file that was not made to the end, or is being removed
        }
        if (first == null
                && places.values().stream().allMatch(p -> StripedPart.isUnlinked(p.name))) {
            return;
        }
        String name = first == null ? any.name : first.name;
        List<Integer> missing = new ArrayList<>();
        for (int part = 0; part < any.part.count(); part++) {
            if (!places.containsKey(part)) {
                missing.add(part);
            }
        }
        boolean isOne =
                places.values().stream()
                        .allMatch(
                                place ->
                                        place.part.count() == any.part.count()
                                                && place.part.blockBytes()
                                                        == any.part.blockBytes());
        if (!missing.isEmpty() || !isOne) {
            problems.add(
                    "parts of a striped file "
                            + (isOne ? "are missing" : "do not go together")
                            + ": file="
                            + name
                            + ", parts="
                            + places.keySet()
                            + " of "
                            + any.part.count()
                            + ", missing="
                            + missing);
            return;
        }
        List<Member> found = places.values().stream().map(Place::member).toList();
        List<String> names = places.values().stream().map(Place::name).toList();
        plans.put(name, new Plan(found, names, Optional.of(any.part)));
    }

    /** The files that are whole. */
    public List<String> names() {
        return List.copyOf(plans.keySet());
    }

    /** What cannot be put together, and why; each names a file or bricks. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /**
     * Whether the last gateway closed the file: else writes that were not flushed may be missing.
     */
    public boolean isClean(String name) {
        Plan plan = plan(name);
        for (int i = 0; i < plan.members.size(); i++) {
            if (!plan.members.get(i).isClean(plan.names.get(i))) {
                return false;
            }
        }
        return true;
    }

    private Plan plan(String name) {
        Plan plan = plans.get(name);
        if (plan == null) {
            throw new BlockException(BlockError.ENOENT, "no such file: name=" + name);
        }
        return plan;
    }

    /** Opens a file. */
    SourceFile open(String name) {
        Plan plan = plan(name);
        List<SourceFile> opened = new ArrayList<>();
        try {
            for (int i = 0; i < plan.members.size(); i++) {
                opened.add(plan.members.get(i).open(plan.names.get(i)));
            }
        } catch (RuntimeException e) {
            opened.forEach(SourceFile::close);
            throw e;
        }
        return plan.striped
                .<SourceFile>map(part -> StripedSource.of(part, opened))
                .orElse(opened.get(0));
    }

    /** The size of a file. */
    public long sizeBytes(String name) {
        try (SourceFile file = open(name)) {
            return file.sizeBytes();
        }
    }
}
