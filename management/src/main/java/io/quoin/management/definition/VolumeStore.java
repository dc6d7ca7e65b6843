package io.quoin.management.definition;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.BrickMark;
import io.quoin.brick.posix.DurableFile;
import io.quoin.management.volume.DataFolder;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
import io.quoin.xlator.graph.Volfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes of a data folder beside the one that lies in itself, each in a folder {@code
 * volumes/NAME} of its own. There is one where {@code volume.json} is: it is written last, and
 * removed first.
 *
 * <p>Threading: immutable; blocks. Its owner holds the lock of the data folder, and lets one change
 * follow the other.
 */
public final class VolumeStore {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeStore.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FILE = "volume.json";

    /** The volume for which daemons are claimed, until it is made. */
    private static final String CLAIMING_FILE = "claiming.json";

    private final DataFolder data;

    public VolumeStore(DataFolder data) {
        this.data = data;
    }

    /** The data folder of a volume. */
    public DataFolder folder(String name) {
        return new DataFolder(data.volumes().resolve(name));
    }

    /** All that can be read, by name; what cannot is logged. */
    public List<VolumeDefinition> list() {
        Map<String, VolumeDefinition> found = new TreeMap<>();
        if (!Files.isDirectory(data.volumes())) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(data.volumes())) {
            folders.filter(folder -> Files.exists(folder.resolve(FILE)))
                    .forEach(
                            folder -> {
                                try {
                                    VolumeDefinition volume = read(folder);
                                    found.put(volume.name(), volume);
                                } catch (BlockException e) {
                                    LOG.error("Volume left out: {}", e.getMessage());
                                }
                            });
        } catch (IOException e) {
            throw Reason.failure("cannot list the volumes", NameText.of(data.volumes()), e);
        }
        return new ArrayList<>(found.values());
    }

    /**
     * One.
     *
     * @throws BlockException ENOENT, with the nearest name, if there is none
     */
    public VolumeDefinition get(String name) {
        return list().stream()
                .filter(volume -> volume.name().equals(name))
                .findFirst()
                .orElseThrow(() -> unknown(name));
    }

    private BlockException unknown(String name) {
        List<String> names = list().stream().map(VolumeDefinition::name).toList();
        String hint =
                NearestName.find(name, names)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; quoin volume ls shows them");
        return new BlockException(BlockError.ENOENT, "no such volume: name=" + name + hint);
    }

    private static VolumeDefinition read(Path folder) {
        Path file = folder.resolve(FILE);
        VolumeDefinition volume = parse(file);
        if (!volume.name().equals(NameText.lastOf(folder))) {
            throw new BlockException(
                    BlockError.EIO,
                    "cannot read the volume: path="
                            + NameText.of(file)
                            + ", reason=it names another volume: name="
                            + volume.name());
        }
        return volume;
    }

    private static VolumeDefinition parse(Path file) {
        try {
            return JSON.readValue(Files.readAllBytes(file), VolumeDefinition.class);
        } catch (IOException e) {
            throw Reason.failure("cannot read the volume", NameText.of(file), e);
        }
    }

    /**
     * Makes a volume: its bricks are marked, and it can be started. Durable on return. If it fails
     * folders are as before; daemons that were claimed are those of the volume when the same is
     * made again.
     *
     * @param others brick folders of volumes that are not in the store, and whose they are
     * @param wire how daemons are reached
     * @return the volume; its id is another one if daemons were claimed for the same before
     * @throws BlockException EEXIST if there is one of its name; else as {@link BrickRules} and
     *     {@link NewBricks}
     */
    public VolumeDefinition create(
            VolumeDefinition volume, Map<Path, String> others, WireOptions wire, boolean isForced) {
        Map<Path, String> inUse = foldersInUse(volume, others, false);
        new BrickRules(volume, inUse).check(isForced);
        DataFolder folder = folder(volume.name());
        folder.create();
        forget(folder);
        if (volume.isReplicated()) {
            return createReplicated(volume, wire);
        }
        putVolfile(volume, List.of(), wire);
        for (BrickAddress brick : volume.addresses()) {
            if (brick.folder() != null) {
                BrickMark.write(brick.folder(), volume.id());
            }
        }
        write(volume);
        return volume;
    }

    private VolumeDefinition createReplicated(VolumeDefinition asked, WireOptions wire) {
        Path claiming = folder(asked.name()).path().resolve(CLAIMING_FILE);
        VolumeDefinition volume = asked.withId(idOf(asked, claiming));
        put(claiming, volume);
        NewBricks bricks = new NewBricks(volume, wire);
        List<UUID> ids = bricks.make();
        try {
            putVolfile(volume, ids, wire);
            write(volume);
        } catch (RuntimeException e) {
            DurableFile.remove(folder(asked.name()).path().resolve(FILE));
            bricks.undo();
            throw e;
        }
        DurableFile.remove(claiming);
        return volume;
    }

    /** That of an attempt to make the same volume, if one was cut short; else its own. */
    private static String idOf(VolumeDefinition asked, Path claiming) {
        if (!Files.exists(claiming)) {
            return asked.id();
        }
        VolumeDefinition before = parse(claiming);
        return asked.isMadeAs(before) ? before.id() : asked.id();
    }

    private void putVolfile(VolumeDefinition volume, List<UUID> bricks, WireOptions wire) {
        putVolfile(volume, GeneratedVolfile.text(volume, bricks, wire));
    }

    /** Writes a volfile that was changed; comments of the one before are lost. */
    void putVolfile(VolumeDefinition volume, Volfile volfile) {
        putVolfile(volume, GeneratedVolfile.text(volume, volfile));
    }

    private void putVolfile(VolumeDefinition volume, String text) {
        DurableFile.put(folder(volume.name()).volfile(), text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * A brick that takes the place of another.
     *
     * @param others brick folders of volumes that are not in the store, and whose they are
     * @param wire how daemons are reached; null: as those of the volume
     * @throws BlockException as {@link BrickReplacement#of}
     */
    public BrickReplacement replacement(
            VolumeDefinition volume,
            String old,
            String by,
            @Nullable WireOptions wire,
            Map<Path, String> others) {
        Map<Path, String> inUse = foldersInUse(volume, others, true);
        return BrickReplacement.of(this, volume, old, by, wire, inUse);
    }

    /** The folders of other volumes; EEXIST if one has the name of one that is not there yet. */
    private Map<Path, String> foldersInUse(
            VolumeDefinition volume, Map<Path, String> others, boolean isThere) {
        Map<Path, String> inUse = new HashMap<>(others);
        for (VolumeDefinition other : list()) {
            if (other.name().equals(volume.name())) {
                if (isThere) {
                    continue;
                }
                throw new BlockException(
                        BlockError.EEXIST, "volume already exists: name=" + volume.name());
            }
            for (BrickAddress brick : other.addresses()) {
                if (brick.folder() != null) {
                    inUse.put(brick.folder(), other.name());
                }
            }
        }
        return inUse;
    }

    /** The options of a volume, with what was set. */
    public List<VolumeOptions.Value> options(VolumeDefinition volume) {
        return new VolumeOptions(volfile(volume)).values(volume.options());
    }

    private Volfile volfile(VolumeDefinition volume) {
        return Volfile.read(folder(volume.name()).volfile());
    }

    /**
     * Sets options, or takes them back. Durable on return.
     *
     * @param changes by the names of options; an empty text takes one back
     * @return the nodes of each, as they are called here
     * @throws BlockException EINVAL, naming the option and what it can be; then nothing is changed
     */
    public Map<String, List<VolumeOptions.NodeOption>> setOptions(
            VolumeDefinition volume, Map<String, String> changes) {
        VolumeOptions options = new VolumeOptions(volfile(volume));
        Map<String, String> resolved = new TreeMap<>();
        changes.forEach((name, value) -> resolved.put(options.resolve(name), value));
        putVolfile(volume, options.with(resolved));
        Map<String, String> all = new TreeMap<>(volume.options());
        all.putAll(resolved);
        all.values().removeIf(String::isEmpty);
        write(volume.withOptions(all));
        Map<String, List<VolumeOptions.NodeOption>> nodes = new TreeMap<>();
        resolved.keySet().forEach(name -> nodes.put(name, options.nodes(name)));
        return nodes;
    }

    /** Durable on return. */
    public VolumeDefinition change(VolumeDefinition volume, VolumeState state) {
        VolumeDefinition changed = volume.in(state);
        write(changed);
        return changed;
    }

    /** Takes the volume away; its bricks keep what they have, and their mark. */
    public void delete(VolumeDefinition volume) {
        DataFolder folder = folder(volume.name());
        DurableFile.remove(folder.path().resolve(FILE));
        DurableFile.remove(folder.volfile());
        forget(folder);
    }

    /**
     * Removes what is kept of jobs, groups, scrubs and bricks: they are not those of a new volume
     * of that name.
     */
    private static void forget(DataFolder folder) {
        DurableFile.remove(folder.path().resolve("groups.json"));
        DurableFile.remove(folder.path().resolve("scrub.json"));
        Path groups = folder.path().resolve("groups");
        for (Path kept : List.of(folder.jobs(), folder.nodes(), groups)) {
            if (Files.isDirectory(kept, LinkOption.NOFOLLOW_LINKS)) {
                try (Stream<Path> files = Files.list(kept)) {
                    files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                            .forEach(DurableFile::remove);
                } catch (IOException e) {
                    throw Reason.failure(
                            "cannot remove what is left of a volume", NameText.of(kept), e);
                }
            }
        }
    }

    /**
     * Before its graph is built. A replicated volume does not need all of its folders: each is
     * looked at where it is used, by storage/posix.
     *
     * @throws BlockException ENOENT if a folder is not the volume's brick
     */
    public void requireBricks(VolumeDefinition volume) {
        if (volume.isReplicated()) {
            return;
        }
        for (BrickAddress brick : volume.addresses()) {
            if (brick.folder() != null) {
                BrickMark.require(brick.folder(), volume.id());
            }
        }
    }

    void write(VolumeDefinition volume) {
        put(folder(volume.name()).path().resolve(FILE), volume);
    }

    private static void put(Path file, VolumeDefinition volume) {
        try {
            byte[] content =
                    NameText.json(JSON.writeValueAsString(volume)).getBytes(StandardCharsets.UTF_8);
            DurableFile.put(file, content);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a volume is records, texts and numbers", e);
        }
    }
}
