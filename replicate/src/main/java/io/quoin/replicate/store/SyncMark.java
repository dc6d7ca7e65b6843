package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * Says to the next process whether a sync is under way, or has failed and the log does not have it
 * yet: in a file that is written and never synced. A process that is killed leaves it in the page
 * cache; what a crash of the machine makes of it does not matter, since the boot id is another one.
 *
 * <pre>
 * 0  start count, u64     8  0: nothing under way; 1     12  CRC32C of the bytes before
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SyncMark {
    static final String NAME = "sync.mark";
    static final int BYTES = 16;

    private final FileIo io;
    private final XlatorFile file;
    private final long startCount;
    private final Consumer<BlockError> whenFailed;
    private List<Runnable> waiting = new ArrayList<>();
    private int count;
    private boolean isSet;
    private boolean isWriting;

    /**
     * @param file has {@link #content} of this start, not set
     */
    SyncMark(FileIo io, XlatorFile file, long startCount, Consumer<BlockError> whenFailed) {
        this.io = io;
        this.file = file;
        this.startCount = startCount;
        this.whenFailed = whenFailed;
    }

    static byte[] content(long startCount, boolean isSet) {
        ByteBuffer content = ByteBuffer.allocate(BYTES).putLong(startCount).putInt(isSet ? 1 : 0);
        return content.putInt(crc(content.array())).array();
    }

    /** Whether the process of that start ended with nothing under way. */
    static boolean isClear(byte[] content, long startCount) {
        return Arrays.equals(content, content(startCount, false));
    }

    private static int crc(byte[] content) {
        CRC32C sum = new CRC32C();
        sum.update(content, 0, BYTES - Integer.BYTES);
        return (int) sum.getValue();
    }

    /** Runs {@code then} once the mark is set, for as long as {@link #end} has not been called. */
    void begin(Runnable then) {
        count++;
        if (isSet && !isWriting) {
            then.run();
        } else {
            waiting.add(then);
            write();
        }
    }

    void end() {
        count--;
        write();
    }

    /** Whether something is under way, or has failed and is not in the log. */
    boolean isHeld() {
        return count > 0;
    }

    private void write() {
        boolean wanted = count > 0;
        if (isWriting || wanted == isSet) {
            return;
        }
        isWriting = true;
        io.write(file, 0, content(startCount, wanted), IoFlags.NONE, e -> written(wanted, e));
    }

    private void written(boolean wanted, BlockError error) {
        if (!error.isOk()) {
            whenFailed.accept(error);
            return;
        }
        isWriting = false;
        isSet = wanted;
        List<Runnable> ready = isSet ? waiting : List.of();
        if (isSet) {
            waiting = new ArrayList<>();
        }
        write();
        ready.forEach(Runnable::run);
    }
}
