package io.quoin.management.volume;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.snapshot.DiskName;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Sets of disks that have a name, so that all disks of one guest, or of several that belong
 * together, go by it. Kept in one file of the data folder; a disk may be in several.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class DiskSets {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<TreeMap<String, List<String>>> SETS =
            new TypeReference<>() {};

    private final Path file;

    /**
     * @param file made with the first set
     */
    DiskSets(Path file) {
        this.file = file;
    }

    /**
     * A set.
     *
     * @param name that of a set is as that of a disk
     * @param disks their names, in the order in which they were added
     */
    public record DiskSet(String name, List<String> disks) {}

    /** All, by name. */
    public synchronized List<DiskSet> list() {
        List<DiskSet> sets = new ArrayList<>();
        read().forEach((name, disks) -> sets.add(new DiskSet(name, List.copyOf(disks))));
        return sets;
    }

    /** One; ENOENT if there is none of that name. */
    public synchronized DiskSet get(String name) {
        Map<String, List<String>> sets = read();
        return new DiskSet(name, List.copyOf(existing(sets, name)));
    }

    /** Makes one; EEXIST if there is one of that name. Durable on return. */
    public synchronized DiskSet create(String name, List<String> disks) {
        DiskName.check(name);
        Map<String, List<String>> sets = read();
        if (sets.containsKey(name)) {
            throw new BlockException(
                    BlockError.EEXIST, "group of disks already exists: name=" + name);
        }
        return write(sets, name, new LinkedHashSet<>(disks));
    }

    /** Adds disks; those that are in it already stay. Durable on return. */
    public synchronized DiskSet add(String name, List<String> disks) {
        Map<String, List<String>> sets = read();
        Set<String> all = new LinkedHashSet<>(existing(sets, name));
        all.addAll(disks);
        return write(sets, name, all);
    }

    /**
     * Takes disks out, or the whole set away if none is named. The disks stay as they are. Durable
     * on return.
     */
    public synchronized DiskSet remove(String name, List<String> disks) {
        Map<String, List<String>> sets = read();
        Set<String> left = new LinkedHashSet<>(existing(sets, name));
        for (String disk : disks) {
            if (!left.remove(disk)) {
                throw new BlockException(
                        BlockError.ENOENT,
                        "disk is not in the group: name=" + disk + ", group=" + name);
            }
        }
        if (disks.isEmpty()) {
            sets.remove(name);
            write(sets);
            return new DiskSet(name, List.of());
        }
        return write(sets, name, left);
    }

    private static List<String> existing(Map<String, List<String>> sets, String name) {
        List<String> disks = sets.get(name);
        if (disks == null) {
            String hint =
                    NearestName.find(name, List.copyOf(sets.keySet()))
                            .map(near -> "; did you mean " + near + "?")
                            .orElse("");
            throw new BlockException(
                    BlockError.ENOENT, "no such group of disks: name=" + name + hint);
        }
        return disks;
    }

    private DiskSet write(Map<String, List<String>> sets, String name, Set<String> disks) {
        disks.forEach(DiskName::check);
        if (disks.size() > GroupRequest.DISKS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "disks of a group: count="
                            + disks.size()
                            + ", expected=at most "
                            + GroupRequest.DISKS_MAX);
        }
        sets.put(name, List.copyOf(disks));
        write(sets);
        return new DiskSet(name, List.copyOf(disks));
    }

    private Map<String, List<String>> read() {
        try {
            return Files.exists(file)
                    ? JSON.readValue(Files.readAllBytes(file), SETS)
                    : new TreeMap<>();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private void write(Map<String, List<String>> sets) {
        try {
            byte[] content =
                    NameText.json(JSON.writeValueAsString(sets)).getBytes(StandardCharsets.UTF_8);
            DurableFile.put(file, content);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private BlockException failure(IOException e) {
        return new BlockException(
                BlockError.EIO,
                "groups of disks: file=" + NameText.of(file) + ", reason=" + Reason.of(e),
                e);
    }
}
