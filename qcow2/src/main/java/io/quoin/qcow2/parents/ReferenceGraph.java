package io.quoin.qcow2.parents;

import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.xlator.TrashName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which files of a folder stand on which, by what the headers of its images name: as backing file
 * or as data file, directly or through a chain.
 *
 * <p>An image that stands on itself, in one step or in more, can be opened by nothing, and keeps
 * nothing in place: else neither of two such images could ever be removed.
 *
 * <p>Threading: immutable.
 */
public final class ReferenceGraph {
    private static final int NAMES_MAX = 3;

    /** The files that an image names, and the images that name a file. */
    private final Map<String, Set<String>> below = new HashMap<>();

    private final Map<String, Set<String>> above = new HashMap<>();

    /** As {@link #above}, where the file's content matters and not that of a snapshot in it. */
    private final Map<String, Set<String>> aboveContent = new HashMap<>();

    /**
     * @param images what each image names, by the image's name
     */
    public ReferenceGraph(Map<String, HeaderReferences> images) {
        new TreeMap<>(images)
                .forEach(
                        (image, names) -> {
                            add(image, names.backingFile());
                            add(image, names.dataFile());
                        });
    }

    private void add(String image, @org.jspecify.annotations.Nullable String name) {
        if (name == null) {
            return;
        }
        put(below, image, name);
        put(above, name, image);
        put(aboveContent, name, image);
        if (ImageName.isSnapshot(name)) {
            String file = ImageName.of(name).file();
            put(below, image, file);
            put(above, file, image);
        }
    }

    private static void put(Map<String, Set<String>> map, String from, String to) {
        map.computeIfAbsent(from, none -> new TreeSet<>()).add(to);
    }

    /** Images that read another content if that of {@code file} changes, the closest first. */
    public List<String> readersOf(String file) {
        return collect(file, aboveContent);
    }

    /** Images that cannot be opened any more without {@code file}, the closest first. */
    public List<String> usersOf(String file) {
        return collect(file, above);
    }

    private List<String> collect(String file, Map<String, Set<String>> first) {
        Set<String> standsOn = reachable(file);
        Set<String> found = new LinkedHashSet<>();
        Deque<String> next = new ArrayDeque<>(first.getOrDefault(file, Set.of()));
        while (!next.isEmpty()) {
            String image = next.remove();
            if (!image.equals(file) && !standsOn.contains(image) && found.add(image)) {
                next.addAll(above.getOrDefault(image, Set.of()));
            }
        }
        return new ArrayList<>(found);
    }

    /** All files that {@code image} stands on; itself among them if its chain is a loop. */
    public Set<String> reachable(String image) {
        Set<String> found = new LinkedHashSet<>();
        Deque<String> next = new ArrayDeque<>(below.getOrDefault(image, Set.of()));
        while (!next.isEmpty()) {
            String file = next.remove();
            if (found.add(file)) {
                next.addAll(below.getOrDefault(file, Set.of()));
            }
        }
        return found;
    }

    /** A few names for a message. */
    public static String text(List<String> names) {
        String few =
                names.stream()
                        .limit(NAMES_MAX)
                        .map(TrashName::text)
                        .collect(Collectors.joining(", "));
        return names.size() <= NAMES_MAX
                ? few
                : few + " and " + (names.size() - NAMES_MAX) + " more";
    }
}
