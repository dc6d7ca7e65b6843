package io.quoin.management.definition;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.management.volume.DataFolder;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.NearestName;
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
import java.util.stream.Stream;
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
        try {
            VolumeDefinition volume =
                    JSON.readValue(Files.readAllBytes(file), VolumeDefinition.class);
            if (!volume.name().equals(NameText.lastOf(folder))) {
                throw new IOException("it names another volume: name=" + volume.name());
            }
            return volume;
        } catch (IOException e) {
            throw Reason.failure("cannot read the volume", NameText.of(file), e);
        }
    }

    /**
     * Makes a volume: its bricks are marked, and it can be started. Durable on return.
     *
     * @param others brick folders of volumes that are not in the store, and whose they are
     * @throws BlockException EEXIST if there is one of its name; else as {@link BrickRules}
     */
    public void create(VolumeDefinition volume, Map<Path, String> others, boolean isForced) {
        Map<Path, String> inUse = new HashMap<>(others);
        for (VolumeDefinition other : list()) {
            if (other.name().equals(volume.name())) {
                throw new BlockException(
                        BlockError.EEXIST, "volume already exists: name=" + volume.name());
            }
            for (BrickAddress brick : other.addresses()) {
                if (brick.folder() != null) {
                    inUse.put(brick.folder(), other.name());
                }
            }
        }
        new BrickRules(volume, inUse).check(isForced);
        DataFolder folder = folder(volume.name());
        folder.create();
        forget(folder);
        String volfile = GeneratedVolfile.text(volume);
        DurableFile.put(folder.volfile(), volfile.getBytes(StandardCharsets.UTF_8));
        for (BrickAddress brick : volume.addresses()) {
            if (brick.folder() != null) {
                BrickLabel.write(brick.folder(), volume.id());
            }
        }
        write(volume);
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

    /** Removes what is kept of jobs and groups: they are not those of a new volume of that name. */
    private static void forget(DataFolder folder) {
        DurableFile.remove(folder.path().resolve("groups.json"));
        for (Path kept : List.of(folder.jobs(), folder.path().resolve("groups"))) {
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
     * Before its graph is built.
     *
     * @throws BlockException ENOENT if a folder is not the volume's brick
     */
    public void requireBricks(VolumeDefinition volume) {
        for (BrickAddress brick : volume.addresses()) {
            if (brick.folder() != null) {
                BrickLabel.require(brick.folder(), volume);
            }
        }
    }

    private void write(VolumeDefinition volume) {
        try {
            byte[] content =
                    NameText.json(JSON.writeValueAsString(volume)).getBytes(StandardCharsets.UTF_8);
            DurableFile.put(folder(volume.name()).path().resolve(FILE), content);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a volume is records, texts and numbers", e);
        }
    }
}
