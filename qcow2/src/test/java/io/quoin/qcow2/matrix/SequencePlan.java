package io.quoin.qcow2.matrix;

import io.quoin.block.IoFlags;
import io.quoin.qcow2.matrix.ImageSpec.Backing;
import io.quoin.qcow2.matrix.ImageSpec.DataFile;
import io.quoin.qcow2.matrix.SequenceStep.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Draws the steps of a sequence: only such as the format allows an image of that kind at that time.
 *
 * <p>Threading: confined to the test.
 */
final class SequencePlan {
    /** The bitmap that is there from the start. */
    static final String FIRST = "b0";

    private static final int SNAPSHOTS_MAX = 2;
    private static final int BITMAPS_MAX = 3;

    private final ImageSpec spec;
    private final int backingBytes;
    private final Random random;
    private final List<SequenceStep> steps = new ArrayList<>();
    private final Map<String, Integer> snapshots = new LinkedHashMap<>();

    /** Logarithms of granularities. */
    private final Map<String, Integer> bitmaps = new TreeMap<>();

    private int size;
    private boolean backed;
    private int number;

    private SequencePlan(ImageSpec spec, int backingBytes, Random random) {
        this.spec = spec;
        this.backingBytes = backingBytes;
        this.random = random;
        this.size = spec.sizeBytes();
        this.backed = spec.backing() != Backing.NONE;
    }

    /**
     * As many steps as are asked for.
     *
     * @param backingBytes the length of the backing file, if there is one
     */
    static List<SequenceStep> draw(ImageSpec spec, int backingBytes, Random random, int count) {
        SequencePlan plan = new SequencePlan(spec, backingBytes, random);
        if (spec.bitmaps()) {
            plan.addBitmap(FIRST);
        }
        while (plan.steps.size() < count) {
            plan.next();
        }
        return plan.steps;
    }

    /**
     * As {@link #draw}, with much of snapshots, by Quoin and by QEMU. What one step makes of
     * snapshots and sizes is not always known before: a step may turn out to be impossible.
     */
    static List<SequenceStep> drawSnapshots(ImageSpec spec, Random random, int count) {
        SequencePlan plan = new SequencePlan(spec, 0, random);
        if (spec.bitmaps()) {
            plan.addBitmap(FIRST);
        }
        while (plan.steps.size() < count) {
            plan.nextOfSnapshots();
        }
        return plan.steps;
    }

    private void nextOfSnapshots() {
        int drawn = random.nextInt(100);
        if (drawn < 30) {
            range(Kind.WRITE, fua(), random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(255));
        } else if (drawn < 38) {
            compressed();
        } else if (drawn < 45) {
            range(Kind.ZERO, random.nextInt(2) * IoFlags.MAY_UNMAP | fua(), 0);
        } else if (drawn < 51) {
            range(Kind.DISCARD, fua(), 0);
        } else if (drawn < 53) {
            steps.add(SequenceStep.of(Kind.FLUSH));
        } else if (drawn < 57) {
            steps.add(SequenceStep.of(Kind.REOPEN));
        } else if (drawn < 60) {
            resize();
        } else if (drawn < 64) {
            steps.add(SequenceStep.of(Kind.CHECK));
        } else if (drawn < 67) {
            range(Kind.QEMU, 0, 1 + random.nextInt(255));
        } else if (drawn < 69) {
            steps.add(SequenceStep.of(Kind.QEMU_REPAIR));
        } else if (drawn < 80) {
            makeOne();
        } else {
            useOne();
        }
    }

    private void makeOne() {
        String name = "s" + number++;
        if (snapshots.size() >= mostSnapshots()) {
            useOne();
            return;
        }
        switch (random.nextInt(8)) {
            case 0, 1 -> steps.add(SequenceStep.of(Kind.SNAPSHOT, name, 0));
            case 2 -> kill(Kind.KILL_CREATE, name);
            case 3 -> steps.add(SequenceStep.of(Kind.SNAPSHOT_CUT_OFF, name, random.nextInt(6)));
            default -> steps.add(SequenceStep.of(Kind.SNAPSHOT_CREATE, name, 0));
        }
        snapshots.put(name, size);
    }

    /** It would leave bitmaps that are in use. */
    private void kill(Kind kind, String name) {
        if (bitmaps.isEmpty()) {
            steps.add(new SequenceStep(kind, 0, random.nextInt(400), 0, IoFlags.NONE, name));
        }
    }

    /** Going back to one raises counts before it lowers others. */
    private int mostSnapshots() {
        return spec.refcountBits() == 2 ? 1 : 2 * SNAPSHOTS_MAX;
    }

    private void useOne() {
        if (snapshots.isEmpty()) {
            return;
        }
        List<String> names = new ArrayList<>(snapshots.keySet());
        String name = names.get(random.nextInt(names.size()));
        boolean returns = bitmaps.isEmpty();
        int then = snapshots.getOrDefault(name, size);
        int stopped = random.nextInt(3) == 0 ? 1 + random.nextInt(4) : 0;
        int drawn = random.nextInt(returns ? 11 : 7);
        switch (drawn) {
            case 0, 1 -> steps.add(SequenceStep.of(Kind.SNAPSHOT_REMOVE, name, stopped));
            case 2 -> steps.add(SequenceStep.of(Kind.SNAPSHOT_DELETE, name, 0));
            case 3 -> kill(Kind.KILL_REMOVE, name);
            case 4 -> steps.add(SequenceStep.of(Kind.CLONE, name, 1 + random.nextInt(255)));
            case 5, 6 -> {
                SequenceStep rename = SequenceStep.of(Kind.SNAPSHOT_RENAME, name, 0);
                steps.add(rename);
                snapshots.put(rename.newName(), then);
            }
            case 7 -> steps.add(SequenceStep.of(Kind.SNAPSHOT_APPLY, name, 0));
            case 8 -> kill(Kind.KILL_ROLLBACK, name);
            default -> steps.add(SequenceStep.of(Kind.SNAPSHOT_ROLLBACK, name, stopped));
        }
        switch (drawn) {
            case 0, 1, 2, 3, 5, 6 -> snapshots.remove(name);
            case 7, 9, 10 -> size = then;
            default -> {}
        }
    }

    private void next() {
        int drawn = random.nextInt(100);
        if (drawn < 26) {
            range(Kind.WRITE, fua(), random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(255));
        } else if (drawn < 40) {
            compressed();
        } else if (drawn < 54) {
            int flags = random.nextInt(2) * IoFlags.MAY_UNMAP;
            // A bitmap may have a mark for a request that is refused, here for a raw data file.
            boolean exact = spec.bitmaps() && spec.dataFile() == DataFile.RAW;
            flags |= random.nextInt(4) == 0 && !exact ? IoFlags.FAST_ZERO : 0;
            range(Kind.ZERO, flags | fua(), 0);
        } else if (drawn < 66) {
            range(Kind.DISCARD, fua(), 0);
        } else if (drawn < 72) {
            steps.add(SequenceStep.of(Kind.FLUSH));
        } else if (drawn < 78) {
            steps.add(SequenceStep.of(Kind.REOPEN));
        } else if (drawn < 85) {
            resize();
        } else if (drawn < 87) {
            range(Kind.QEMU, 0, 1 + random.nextInt(255));
        } else if (drawn < 91) {
            rebase();
        } else if (drawn < 95) {
            snapshot();
        } else {
            bitmap();
        }
    }

    private int fua() {
        return random.nextInt(8) == 0 ? IoFlags.FUA : IoFlags.NONE;
    }

    private void range(Kind kind, int flags, int stamp) {
        int offset = random.nextInt(size / 512) * 512;
        int most = Math.min(size - offset, size / 6);
        int length = (1 + random.nextInt(Math.max(1, most / 512))) * 512;
        steps.add(new SequenceStep(kind, offset, length, stamp, flags, ""));
    }

    private void compressed() {
        int cluster = spec.clusterSize();
        int clusters = (size + cluster - 1) / cluster;
        int first = random.nextInt(clusters);
        int most = Math.min(clusters - first, Math.max(1, clusters / 6));
        int end = Math.min(size, (first + 1 + random.nextInt(most)) * cluster);
        // Snapshots raise counts, which streams that share a cluster have raised already.
        boolean narrow = spec.snapshots() && spec.refcountBits() < 16;
        Kind kind = spec.dataFile() != DataFile.NONE || narrow ? Kind.WRITE : Kind.COMPRESSED;
        int offset = first * cluster;
        int stamp = 1 + random.nextInt(255);
        steps.add(new SequenceStep(kind, offset, end - offset, stamp, fua(), ""));
    }

    private void resize() {
        if (spec.version() == 2 && !snapshots.isEmpty()) {
            return;
        }
        // Without a zero flag nothing could hide the backing file.
        boolean shrinks = random.nextBoolean() && !(spec.version() == 2 && backed);
        int newSize = shrinks ? size / 3 + random.nextInt(size / 2) : size + random.nextInt(size);
        // QEMU is told to write zeros behind an end within a cluster, which must mark nothing.
        int unit = 1 << bitmaps.values().stream().mapToInt(i -> i).max().orElse(9);
        newSize = newSize / unit * unit;
        if (newSize < 3 * 512 || newSize > 2 * spec.sizeBytes() || newSize == size) {
            return;
        }
        if (spec.version() == 2 && backed && newSize > size && backingBytes > size) {
            // QEMU 7.2 has nothing to hide the rest of the backing file with.
            return;
        }
        size = newSize;
        steps.add(new SequenceStep(Kind.RESIZE, 0, newSize, 0, IoFlags.NONE, ""));
    }

    private void rebase() {
        boolean content = !spec.bitmaps() && snapshots.isEmpty();
        if (spec.dataFile() == DataFile.RAW) {
            return;
        }
        if (backed && (!content || random.nextBoolean())) {
            steps.add(SequenceStep.of(Kind.REBASE_SAME, "same-" + number++ + ".raw", 0));
        } else if (content && backed && random.nextBoolean()) {
            steps.add(SequenceStep.of(Kind.REBASE_NONE));
            backed = false;
        } else if (content && spec.version() > 2) {
            // QEMU 7.2 loses zeros of a version 2 image here: it has nothing to write for them.
            steps.add(SequenceStep.of(Kind.REBASE_OTHER));
            backed = true;
        }
    }

    private void snapshot() {
        if (!spec.snapshots()) {
            return;
        }
        List<String> names = new ArrayList<>(snapshots.keySet());
        // Going back to one raises counts before it lowers others.
        int most = spec.refcountBits() == 2 ? 1 : SNAPSHOTS_MAX;
        if (names.size() == most || (!names.isEmpty() && random.nextBoolean())) {
            String name = names.get(random.nextInt(names.size()));
            if (random.nextBoolean() && bitmaps.isEmpty()) {
                steps.add(SequenceStep.of(Kind.SNAPSHOT_APPLY, name, 0));
                size = snapshots.getOrDefault(name, size);
            } else {
                steps.add(SequenceStep.of(Kind.SNAPSHOT_DELETE, name, 0));
                snapshots.remove(name);
            }
        } else {
            String name = "s" + number++;
            steps.add(SequenceStep.of(Kind.SNAPSHOT, name, 0));
            snapshots.put(name, size);
        }
    }

    private void bitmap() {
        if (!spec.bitmaps()) {
            return;
        }
        List<String> names = new ArrayList<>(bitmaps.keySet());
        String name = names.get(random.nextInt(names.size()));
        switch (random.nextInt(6)) {
            case 0 -> steps.add(SequenceStep.of(Kind.BITMAP_CLEAR, name, 0));
            case 1 -> steps.add(SequenceStep.of(Kind.BITMAP_ENABLE, name, 0));
            case 2 -> steps.add(SequenceStep.of(Kind.BITMAP_DISABLE, name, 0));
            case 3 -> {
                if (!name.equals(FIRST)) {
                    steps.add(SequenceStep.of(Kind.BITMAP_MERGE, name, 0));
                }
            }
            case 4 -> {
                if (!name.equals(FIRST)) {
                    steps.add(SequenceStep.of(Kind.BITMAP_REMOVE, name, 0));
                    bitmaps.remove(name);
                }
            }
            default -> {
                if (names.size() < BITMAPS_MAX) {
                    addBitmap("b" + ++number);
                }
            }
        }
    }

    private void addBitmap(String name) {
        int granularityBits = 9 + random.nextInt(9);
        steps.add(SequenceStep.of(Kind.BITMAP_ADD, name, granularityBits));
        bitmaps.put(name, granularityBits);
    }
}
