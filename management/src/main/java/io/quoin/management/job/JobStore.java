package io.quoin.management.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jobs of a volume on disk: a file each, written whole or not at all. What cannot be written is
 * logged, once until it can be again, and the job goes on: a full file system is no reason not to
 * check a disk.
 *
 * <p>Threading: confined to its owner's lock.
 */
final class JobStore {
    private static final Logger LOG = LoggerFactory.getLogger(JobStore.class);
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final String SUFFIX = ".json";
    private static final long FILE_BYTES_MAX = 1 << 20;

    private final Path folder;
    private boolean failing;

    /**
     * @param folder made with the first job
     */
    JobStore(Path folder) {
        this.folder = folder;
    }

    /** All that can be read, in the order of their ids. */
    List<StoredJob> load() {
        List<StoredJob> jobs = new ArrayList<>();
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return jobs;
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.toList();
            found.stream()
                    .filter(file -> UnfinishedNames.isUnfinished(NameText.lastOf(file)))
                    .forEach(JobStore::removeUnfinished);
            found.stream()
                    .filter(file -> NameText.lastOf(file).matches("\\d{1,18}\\.json"))
                    .forEach(file -> read(file, jobs));
        } catch (IOException e) {
            LOG.warn("Jobs cannot be listed: folder={}, reason={}", folder, Reason.of(e));
        }
        jobs.sort(Comparator.comparingLong(stored -> Long.parseLong(stored.job().id())));
        return jobs;
    }

    /** Of a process that was killed: the folder is ours alone. */
    private static void removeUnfinished(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.debug("Unfinished file cannot be removed: file={}", file, e);
        }
    }

    private static void read(Path file, List<StoredJob> jobs) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException("longer than " + FILE_BYTES_MAX + " bytes");
            }
            StoredJob stored = parse(Files.readAllBytes(file));
            if (!NameText.lastOf(file).equals(stored.job().id() + SUFFIX)) {
                throw new IOException("it names another job: id=" + stored.job().id());
            }
            jobs.add(stored);
        } catch (IOException | RuntimeException e) {
            LOG.warn("Job cannot be read, left alone: file={}, reason={}", file, Reason.of(e));
        }
    }

    private static StoredJob parse(byte[] content) throws IOException {
        try {
            return JSON.readValue(content, StoredJob.class);
        } catch (JsonProcessingException e) {
            throw new IOException("it is no job in JSON", e);
        }
    }

    void save(StoredJob stored) {
        try {
            PrivateFolder.make(folder);
            byte[] content =
                    NameText.json(JSON.writeValueAsString(stored)).getBytes(StandardCharsets.UTF_8);
            DurableFile.put(file(stored.job().id()), content);
            failing = false;
        } catch (IOException | BlockException e) {
            if (!failing) {
                failing = true;
                LOG.warn("Job cannot be written: folder={}, reason={}", folder, Reason.of(e));
            }
        }
    }

    void remove(String id) {
        try {
            Files.deleteIfExists(file(id));
        } catch (IOException e) {
            LOG.debug("Job cannot be removed: id={}", id, e);
        }
    }

    private Path file(String id) {
        return folder.resolve(id + SUFFIX);
    }
}
