package io.quoin.tools;

import io.quoin.testkit.crash.DiskEvent;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.xlator.Xlator;
import java.util.ArrayList;
import java.util.List;

/**
 * Sessions whose changes of files are recorded.
 *
 * <p>Threading: confined to the test.
 */
final class RecordedTools {
    private final boolean lying;
    private final List<DiskRecorder> recorders = new ArrayList<>();

    /**
     * @param lying whether flushes do nothing
     */
    RecordedTools(boolean lying) {
        this.lying = lying;
    }

    /** A session for the images of one folder. */
    ImageSession session() {
        return new ImageSession(1, WrappedPosix.types(this::record));
    }

    private Xlator record(Xlator posix) {
        DiskRecorder recorder = new DiskRecorder(posix, lying);
        recorders.add(recorder);
        return recorder;
    }

    /** Folders are opened a second time to be looked at, without locks. */
    private DiskRecorder recorder() {
        List<DiskRecorder> changed =
                recorders.stream().filter(recorder -> !recorder.events.isEmpty()).toList();
        if (changed.size() != 1) {
            throw new AssertionError("folders that were changed: " + changed.size());
        }
        return changed.get(0);
    }

    List<DiskEvent> events() {
        return recorder().events;
    }

    List<String> races() {
        return recorder().races;
    }
}
