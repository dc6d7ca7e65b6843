package io.quoin.testkit.crash;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;

/**
 * Goes through what a {@link DiskRecorder} has seen and makes the files as a crash may leave them
 * after each event: with everything so far, and with everything that is stable and a part of the
 * rest, torn at 512 bytes. Each step changes the files of the step before; nothing is replayed from
 * the start.
 *
 * <p>Threading: confined to the test.
 */
public final class CrashReplay {
    private static final int SECTOR_BYTES = 512;

    /** Judges one state. */
    public interface Judge {
        /** Judges these files; it may change them. */
        void judge(String state, Map<String, FlatBytes> files);
    }

    private final List<DiskEvent> events;
    private final Map<String, FlatBytes> whole = new TreeMap<>();
    private final Map<String, FlatBytes> base = new TreeMap<>();
    private final Map<String, FlatBytes> state = new TreeMap<>();

    /** Events that {@link #base} has: all of them are stable. */
    private int baseCount;

    public CrashReplay(Map<String, byte[]> initial, List<DiskEvent> events) {
        this.events = events;
        initial.forEach(
                (name, content) -> {
                    whole.put(name, new FlatBytes(content));
                    base.put(name, new FlatBytes(content));
                    state.put(name, new FlatBytes());
                });
    }

    /**
     * Judges states in their order in time.
     *
     * @param crashes about how many of the events a crash follows
     * @param torn how many states with parts of the unflushed tail each crash leaves
     */
    public void run(Judge judge, Random random, int crashes, int torn) {
        long changes = events.stream().filter(e -> e.kind != DiskEvent.Kind.MARK).count();
        int stride = (int) Math.max(1, changes / crashes);
        int skip = 0;
        for (int count = 1; count <= events.size(); count++) {
            DiskEvent event = events.get(count - 1);
            if (event.kind == DiskEvent.Kind.MARK) {
                event.mark.run();
                continue;
            }
            apply(whole, event);
            advanceBase(count);
            if (skip > 0) {
                skip--;
                continue;
            }
            skip = stride == 1 ? 0 : random.nextInt(2 * stride - 1);
            copy(whole);
            judge.judge("after event " + count + ", " + event, state);
            for (int i = 0; i < torn && isLoose(count); i++) {
                copy(base);
                tear(count, random);
                judge.judge("after event " + count + ", torn " + i, state);
            }
        }
    }

    /**
     * Judges the states that errors of order show in: after each change what is stable and that
     * change alone; before each flush has ended all but one of the changes that it makes stable.
     *
     * @param stride of how many of these one is judged, besides those in which a write of the start
     *     of a file is alone
     */
    public void runLone(Judge judge, int stride) {
        int number = 0;
        for (int count = 1; count <= events.size(); count++) {
            DiskEvent event = events.get(count - 1);
            if (event.kind == DiskEvent.Kind.MARK) {
                event.mark.run();
                continue;
            }
            for (int i = baseCount; i < count - 1; i++) {
                if (events.get(i).stableAt == count
                        && events.get(i).changes()
                        && number++ % stride == 0) {
                    copy(base);
                    applyAllBut(i, count - 1);
                    judge.judge("before event " + count + " without " + events.get(i), state);
                }
            }
            advanceBase(count);
            boolean isSwitch = event.kind == DiskEvent.Kind.WRITE && event.offset == 0;
            if (event.changes() && (isSwitch || number++ % stride == 0)) {
                copy(base);
                applyStable(count);
                apply(state, event);
                judge.judge("event " + count + " alone, " + event, state);
            }
        }
    }

    private void applyAllBut(int left, int count) {
        for (int i = baseCount; i < count; i++) {
            if (i != left) {
                apply(state, events.get(i));
            }
        }
    }

    private void applyStable(int count) {
        for (int i = baseCount; i < count; i++) {
            if (events.get(i).stableAt <= count) {
                apply(state, events.get(i));
            }
        }
    }

    private void advanceBase(int count) {
        while (baseCount < count && events.get(baseCount).stableAt <= count) {
            apply(base, events.get(baseCount));
            baseCount++;
        }
    }

    private boolean isLoose(int count) {
        for (int i = baseCount; i < count; i++) {
            if (events.get(i).stableAt > count) {
                return true;
            }
        }
        return false;
    }

    private void copy(Map<String, FlatBytes> source) {
        source.forEach((name, bytes) -> of(state, name).copyFrom(bytes));
    }

    private static FlatBytes of(Map<String, FlatBytes> files, String name) {
        return Objects.requireNonNull(files.get(name), name);
    }

    private static void apply(Map<String, FlatBytes> files, DiskEvent event) {
        if (!event.changes()) {
            return;
        }
        FlatBytes file = of(files, event.file);
        switch (event.kind) {
            case WRITE -> file.write(event.offset, event.data, 0, event.data.length);
            case RESIZE -> file.resize(event.offset);
            default -> file.zero(event.offset, event.length);
        }
    }

    /** Applies what is stable, and of the rest what chance lets through. */
    private void tear(int count, Random random) {
        // Nearly all, about half, or nearly none of it: bugs of order need one write to be alone.
        int chance = new int[] {10, 50, 90}[random.nextInt(3)];
        for (int i = baseCount; i < count; i++) {
            DiskEvent event = events.get(i);
            if (event.stableAt <= count) {
                apply(state, event);
            } else if (random.nextInt(100) < chance) {
                if (event.kind == DiskEvent.Kind.WRITE && random.nextInt(3) == 0) {
                    applySectors(event, random);
                } else {
                    apply(state, event);
                }
            }
        }
    }

    private void applySectors(DiskEvent event, Random random) {
        FlatBytes file = of(state, event.file);
        int at = 0;
        while (at < event.data.length) {
            int inSector = (int) ((event.offset + at) % SECTOR_BYTES);
            int part = Math.min(SECTOR_BYTES - inSector, event.data.length - at);
            if (random.nextBoolean()) {
                file.write(event.offset + at, event.data, at, part);
            }
            at += part;
        }
    }
}
