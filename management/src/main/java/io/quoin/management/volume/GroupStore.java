package io.quoin.management.volume;

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
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which snapshots are groups; a file each in the data folder:
 *
 * <pre>
 *  UUID.pending  its snapshots are being published: those that are there are taken away at the next open
 *  UUID.json     all are there
 * </pre>
 *
 * The rename from one to the other is the moment at which the group exists. A snapshot whose group
 * has no file, as in an image that was copied, is a snapshot as any other.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class GroupStore {
    private static final Logger LOG = LoggerFactory.getLogger(GroupStore.class);
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final String PENDING = ".pending";
    private static final String WHOLE = ".json";
    private static final Pattern UUID =
            Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    private static final long FILE_BYTES_MAX = 1 << 20;

    private final Path folder;

    /**
     * @param folder made with the first group
     */
    GroupStore(Path folder) {
        this.folder = folder;
    }

    /** Those that exist, the oldest first. */
    List<StoredGroup> whole() {
        return all(WHOLE);
    }

    /** Those whose snapshots have to go. */
    List<StoredGroup> pending() {
        return all(PENDING);
    }

    /** Before the first of its snapshots is published. Durable. */
    void begin(StoredGroup group) {
        PrivateFolder.make(folder);
        try {
            byte[] content =
                    NameText.json(JSON.writeValueAsString(group)).getBytes(StandardCharsets.UTF_8);
            DurableFile.put(file(group, PENDING), content);
        } catch (IOException e) {
            throw failure(group, e);
        }
    }

    /**
     * After the last of its snapshots is published.
     *
     * @param committed runs when the group exists; a power failure may still undo it if this fails
     *     after that
     */
    void commit(StoredGroup group, Runnable committed) {
        DurableFile.replace(file(group, PENDING), file(group, WHOLE), committed);
    }

    /** None of its snapshots is there any more. */
    void forget(StoredGroup group) {
        try {
            Files.deleteIfExists(file(group, PENDING));
            Files.deleteIfExists(file(group, WHOLE));
        } catch (IOException e) {
            throw failure(group, e);
        }
    }

    private static BlockException failure(StoredGroup group, IOException e) {
        return new BlockException(
                BlockError.EIO,
                "record of a group: uuid=" + group.uuid() + ", reason=" + Reason.of(e),
                e);
    }

    private Path file(StoredGroup group, String suffix) {
        return folder.resolve(group.uuid() + suffix);
    }

    /** Files that a process was writing when it ended; the folder is ours alone. */
    void removeUnfinished() {
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (UnfinishedNames.isUnfinished(NameText.lastOf(file))) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            LOG.debug("Unfinished files cannot be removed: folder={}", folder, e);
        }
    }

    private List<StoredGroup> all(String suffix) {
        List<StoredGroup> groups = new ArrayList<>();
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return groups;
        }
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(file -> isRecord(NameText.lastOf(file), suffix))
                    .forEach(file -> read(file, suffix, groups));
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "records of groups: folder=" + folder + ", reason=" + Reason.of(e),
                    e);
        }
        groups.sort(Comparator.comparing(StoredGroup::createdAt));
        return groups;
    }

    private static boolean isRecord(String name, String suffix) {
        return name.endsWith(suffix)
                && UUID.matcher(name.substring(0, name.length() - suffix.length())).matches();
    }

    private static void read(Path file, String suffix, List<StoredGroup> groups) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new IOException("longer than " + FILE_BYTES_MAX + " bytes");
            }
            StoredGroup group = JSON.readValue(Files.readAllBytes(file), StoredGroup.class);
            if (!NameText.lastOf(file).equals(group.uuid() + suffix)) {
                throw new IOException("it names another group: uuid=" + group.uuid());
            }
            groups.add(group);
        } catch (IOException | RuntimeException e) {
            LOG.warn("Group cannot be read, left alone: file={}, reason={}", file, Reason.of(e));
        }
    }
}
