package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.qcow2.diff.DiffExtent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A disk with snapshots, in memory. */
public final class FakeDisk implements BackedDisk {
    private static final int BLOCK = 4096;

    private final String name;
    private final Map<String, Snapshot> snapshots = new LinkedHashMap<>();
    private byte[] head;
    private @Nullable String backing;

    /** Runs before each change, and before each read: may throw. */
    private Runnable step = () -> {};

    private static final class Snapshot {
        private final String uuid;
        private final byte[] content;

        Snapshot(String uuid, byte[] content) {
            this.uuid = uuid;
            this.content = content;
        }
    }

    public FakeDisk(String name, int sizeBytes) {
        this.name = name;
        head = new byte[sizeBytes];
    }

    public void step(Runnable newStep) {
        step = newStep;
    }

    public void backing(String newBacking) {
        backing = newBacking;
    }

    public void write(int offset, int length, int value) {
        Arrays.fill(head, offset, offset + length, (byte) value);
    }

    public void resize(int newSizeBytes) {
        head = Arrays.copyOf(head, newSizeBytes);
    }

    public byte[] content() {
        return head.clone();
    }

    public List<String> snapshotNames() {
        return List.copyOf(snapshots.keySet());
    }

    /** By a user, behind the back of the backups. */
    public void drop(String snapshot) {
        snapshots.remove(snapshot);
    }

    /** The same. */
    public void make(String snapshot) {
        snapshots.put(snapshot, new Snapshot(UUID.randomUUID().toString(), content()));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long sizeBytes() {
        return head.length;
    }

    @Override
    public @Nullable String backing() {
        return backing;
    }

    @Override
    public List<Point> snapshots() {
        List<Point> points = new ArrayList<>();
        snapshots.forEach((snapshot, is) -> points.add(new Point(snapshot, is.uuid)));
        return points;
    }

    public void createSnapshot(String snapshot, UUID uuid) {
        step.run();
        snapshots.put(snapshot, new Snapshot(uuid.toString(), content()));
    }

    @Override
    public void removeSnapshot(String snapshot, BackupEvents events) {
        step.run();
        found(snapshot);
        snapshots.remove(snapshot);
    }

    private Snapshot found(String snapshot) {
        Snapshot found = snapshots.get(snapshot);
        if (found == null) {
            throw new BlockException(BlockError.ENOENT, "no such snapshot: name=" + snapshot);
        }
        return found;
    }

    @Override
    public Disk openSnapshot(String snapshot) {
        return new MemoryDisk(name + '@' + snapshot, found(snapshot).content, () -> step.run());
    }

    @Override
    public List<DiffExtent> changes(String older, String newer, long start, int limit) {
        byte[] before = found(older).content;
        byte[] after = found(newer).content;
        List<DiffExtent> all = new ArrayList<>();
        for (int at = (int) start; at < after.length && all.size() < limit; at += BLOCK) {
            int end = Math.min(after.length, at + BLOCK);
            byte[] was = Arrays.copyOfRange(before, Math.min(at, before.length), end);
            was = Arrays.copyOf(was, end - at);
            byte[] is = Arrays.copyOfRange(after, at, end);
            if (!Arrays.equals(was, is)) {
                all.add(new DiffExtent(at, is.length, Arrays.equals(is, new byte[is.length])));
            }
        }
        return all;
    }
}
