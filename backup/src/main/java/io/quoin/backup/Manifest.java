package io.quoin.backup;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a backup of one disk: a link of a chain. It is the last of its files to be
 * written: without it there is no such backup.
 *
 * <p>Threading: immutable.
 *
 * @param version of this format
 * @param disk its name when it was backed up
 * @param name of the backup
 * @param number counts up in the folder of the disk
 * @param kind what the file holds
 * @param createdAt when its snapshot was made, by ISO 8601
 * @param tool what has made it
 * @param sizeBytes of the disk
 * @param file the qcow2 file
 * @param chain the same for all links that stand on one full backup
 * @param parent what it stands on; null: nothing
 * @param snapshot of the disk, whose content it is
 * @param backing what the image of the disk stood on; null: nothing
 * @param whyFull why a full backup was made where an incremental one was asked for; else null
 * @param group the backups of other disks as they were at the same moment; null: none
 * @param schedule id of the schedule that has made it; null: none has
 */
public record Manifest(
        int version,
        String disk,
        String name,
        long number,
        Kind kind,
        String createdAt,
        String tool,
        long sizeBytes,
        LinkFile file,
        String chain,
        @Nullable Parent parent,
        SnapshotId snapshot,
        @Nullable String backing,
        @Nullable String whyFull,
        @Nullable Group group,
        @Nullable String schedule) {
    /** The only one so far. */
    static final int VERSION = 1;

    /** What the file of a backup holds. */
    public enum Kind {
        /** The whole disk. */
        full,
        /** What differs from the parent, which is its backing file. */
        incremental
    }

    /**
     * The qcow2 file of a link.
     *
     * @param name in the folder of the manifest
     * @param sizeBytes of the file
     * @param sha256 of its content, in hexadecimal digits
     */
    public record LinkFile(String name, long sizeBytes, String sha256) {}

    /**
     * The link below.
     *
     * @param name of that backup
     * @param manifestSha256 of the content of its manifest
     */
    public record Parent(String name, String manifestSha256) {}

    /**
     * A snapshot.
     *
     * @param name at that time
     * @param uuid unique for ever
     */
    public record SnapshotId(String name, String uuid) {}

    /**
     * Backups of one name, of one moment.
     *
     * @param uuid the same in the manifests of all
     * @param disks all of them, in the order in which they were asked for
     */
    public record Group(String uuid, List<String> disks) {}
}
