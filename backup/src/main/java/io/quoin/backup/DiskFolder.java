package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The backups of one disk: a folder, and in it for each backup
 *
 * <pre>
 *   NAME.pending        while it is made or removed
 *   NAME.qcow2.partial  while it is written
 *   NAME.qcow2          its content; stands on the file of its parent
 *   NAME.json           its manifest: there is such a backup
 *   NAME.protected      it stays
 * </pre>
 *
 * <p>Threading: thread-safe; changes are made by the holder of its {@link FolderLock} alone.
 */
final class DiskFolder {
    private static final String MANIFEST = ".json";
    private static final String DATA = ".qcow2";
    private static final String PARTIAL = ".qcow2.partial";
    private static final String PENDING = ".pending";
    private static final String PROTECTED = ".protected";
    private static final String LOCK = ".lock";

    private final Path path;
    private final String disk;
    private final RepositoryFiles files;

    /** Some of the backups of a folder. */
    record Chosen(DiskFolder folder, List<Backup> backups) {}

    DiskFolder(Path path, String disk, RepositoryFiles files) {
        this.path = path;
        this.disk = disk;
        this.files = files;
    }

    String disk() {
        return disk;
    }

    RepositoryFiles files() {
        return files;
    }

    Path path() {
        return path;
    }

    Path data(String name) {
        return path.resolve(name + DATA);
    }

    Path partial(String name) {
        return path.resolve(name + PARTIAL);
    }

    Path manifest(String name) {
        return path.resolve(name + MANIFEST);
    }

    Path pending(String name) {
        return path.resolve(name + PENDING);
    }

    Path protection(String name) {
        return path.resolve(name + PROTECTED);
    }

    /**
     * Runs a change of the folder.
     *
     * @throws BlockException EBUSY while another process, or another thread, changes it
     */
    <T> T changing(Supplier<T> change) {
        FolderLock lock = lock();
        try {
            return change.get();
        } finally {
            lock.close();
        }
    }

    /**
     * The right to change the folder, until it is closed.
     *
     * @throws BlockException EBUSY while another process, or another thread, has it
     */
    FolderLock lock() {
        return FolderLock.take(path.resolve(LOCK), disk);
    }

    boolean has(Path file) {
        return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
    }

    /** Those with a manifest, the oldest first; damaged ones that tell no number come before. */
    List<Backup> backups() {
        List<Backup> found = new ArrayList<>();
        for (String name : stems(MANIFEST)) {
            if (has(manifest(name))) {
                found.add(look(name));
            }
        }
        found.sort(Comparator.comparingLong(DiskFolder::number).thenComparing(Backup::name));
        return found;
    }

    private static long number(Backup backup) {
        Manifest manifest = backup.manifest();
        return manifest == null ? -1 : manifest.number();
    }

    private Backup look(String name) {
        Path file = manifest(name);
        boolean isProtected = has(protection(name));
        byte[] bytes;
        try {
            bytes = SealedJson.bytes(file);
        } catch (BlockException e) {
            return new Backup(disk, name, null, "", e.getMessage(), isProtected);
        }
        String hash = Sha256.of(bytes);
        try {
            Manifest manifest = SealedJson.parse(bytes, Manifest.class, file);
            return new Backup(disk, name, manifest, hash, damage(name, manifest), isProtected);
        } catch (BlockException e) {
            return new Backup(disk, name, null, hash, e.getMessage(), isProtected);
        }
    }

    private @Nullable String damage(String name, Manifest manifest) {
        Path data = data(name);
        if (!manifest.name().equals(name) || !manifest.file().name().equals(name + DATA)) {
            return "manifest is of another backup: file="
                    + NameText.of(manifest(name))
                    + ", name="
                    + NameText.printable(manifest.name());
        }
        try {
            long size = Files.size(data);
            return size == manifest.file().sizeBytes()
                    ? null
                    : "file has another size: file="
                            + NameText.of(data)
                            + ", expected="
                            + manifest.file().sizeBytes()
                            + ", actual="
                            + size;
        } catch (IOException e) {
            return Reason.failure("file cannot be looked at", NameText.of(data), e).getMessage();
        }
    }

    /** What is being made or removed, or was when that was ended by force. */
    List<Pending> pending() {
        List<Pending> found = new ArrayList<>();
        for (String name : stems(PENDING)) {
            Path file = pending(name);
            found.add(SealedJson.parse(SealedJson.bytes(file), Pending.class, file));
        }
        return found;
    }

    void put(Pending pending) {
        files.put(pending(pending.name()), SealedJson.render(pending));
    }

    /** Files of processes that have been killed; the caller holds the lock. */
    void removeUnfinished() {
        for (String name : names()) {
            if (UnfinishedNames.isUnfinished(name)) {
                files.remove(path.resolve(NameText.path(name)));
            }
        }
    }

    private List<String> stems(String suffix) {
        return names().stream()
                .filter(name -> name.endsWith(suffix))
                .map(name -> name.substring(0, name.length() - suffix.length()))
                .filter(BackupNames::isLegal)
                .toList();
    }

    private List<String> names() {
        try (Stream<Path> all = Files.list(path)) {
            return all.map(NameText::lastOf).sorted().toList();
        } catch (IOException e) {
            throw Reason.failure("folder of backups cannot be read", NameText.of(path), e);
        }
    }

    /**
     * The backup of a name.
     *
     * @throws BlockException ENOENT if there is none
     */
    Backup backup(String name) {
        return backups().stream()
                .filter(backup -> backup.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOENT,
                                        "no such backup: disk="
                                                + disk
                                                + ", name="
                                                + NameText.printable(name)
                                                + ", folder="
                                                + NameText.of(path)));
    }
}
