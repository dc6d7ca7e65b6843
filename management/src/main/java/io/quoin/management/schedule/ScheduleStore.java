package io.quoin.management.schedule;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schedules of a volume on disk: a file each, {@code NAME.json}, written whole or not at all.
 *
 * <p>Threading: confined to its owner's lock.
 */
final class ScheduleStore {
    private static final Logger LOG = LoggerFactory.getLogger(ScheduleStore.class);
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final String SUFFIX = ".json";
    private static final long FILE_BYTES_MAX = 16 << 20;

    private final Path folder;

    /**
     * @param folder made with the first schedule
     */
    ScheduleStore(Path folder) {
        this.folder = folder;
    }

    /** All that can be read, by name; others are logged and left alone. */
    List<StoredSchedule> load() {
        List<StoredSchedule> found = new ArrayList<>();
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return found;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String name = NameText.lastOf(file);
                if (UnfinishedNames.isUnfinished(name)) {
                    Files.deleteIfExists(file); // of a process that was killed: the folder is ours
                } else if (name.endsWith(SUFFIX)) {
                    read(file, found);
                }
            }
        } catch (IOException e) {
            LOG.warn("Schedules cannot be listed: folder={}, reason={}", folder, Reason.of(e));
        }
        return found;
    }

    private static void read(Path file, List<StoredSchedule> found) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException("longer than " + FILE_BYTES_MAX + " bytes");
            }
            StoredSchedule schedule =
                    JSON.readValue(Files.readAllBytes(file), StoredSchedule.class);
            if (!NameText.lastOf(file).equals(schedule.spec().name() + SUFFIX)) {
                throw new IOException("it is another schedule: name=" + schedule.spec().name());
            }
            Timing.of(schedule.spec().cron(), schedule.spec().zone());
            found.add(schedule);
        } catch (IOException | RuntimeException e) {
            LOG.warn("Schedule cannot be read, left alone: file={}, reason={}", file, Reason.of(e));
        }
    }

    /** EEXIST for a name of which there is a file, also one that cannot be read. */
    void requireFree(String name) {
        if (Files.exists(file(name), LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "schedule already exists: name=" + name + ", file=" + NameText.of(file(name)));
        }
    }

    /** Durable on return. */
    void save(StoredSchedule schedule) {
        try {
            PrivateFolder.make(folder);
            byte[] content =
                    NameText.json(JSON.writeValueAsString(schedule))
                            .getBytes(StandardCharsets.UTF_8);
            DurableFile.put(file(schedule.spec().name()), content);
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "schedule cannot be written: name="
                            + schedule.spec().name()
                            + ", reason="
                            + Reason.of(e),
                    e);
        }
    }

    /** Durable on return. */
    void remove(String name) {
        DurableFile.remove(file(name));
    }

    private Path file(String name) {
        return folder.resolve(name + SUFFIX);
    }
}
