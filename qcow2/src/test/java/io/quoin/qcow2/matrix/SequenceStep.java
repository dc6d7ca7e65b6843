package io.quoin.qcow2.matrix;

import io.quoin.block.IoFlags;

/**
 * One step of a sequence.
 *
 * <p>Threading: immutable.
 *
 * @param length of the range; of RESIZE the new size; of a KILL a number of tasks
 * @param stamp the byte that a write repeats; of BITMAP_ADD the granularity's logarithm
 * @param flags {@link IoFlags}
 * @param name of a snapshot or bitmap
 */
record SequenceStep(Kind kind, int offset, int length, int stamp, int flags, String name) {
    /** What it does. */
    enum Kind {
        WRITE,
        /** Whole clusters, whatever is there. */
        COMPRESSED,
        ZERO,
        DISCARD,
        FLUSH,
        REOPEN,
        /** Either way. */
        RESIZE,
        /** QEMU writes between two sessions. */
        QEMU,
        SNAPSHOT,
        SNAPSHOT_APPLY,
        SNAPSHOT_DELETE,
        /** To another file of the same content, by the header alone. */
        REBASE_SAME,
        /** To a file of other content, by QEMU. */
        REBASE_OTHER,
        /** To none, by QEMU. */
        REBASE_NONE,
        BITMAP_ADD,
        BITMAP_REMOVE,
        BITMAP_CLEAR,
        BITMAP_ENABLE,
        BITMAP_DISABLE,
        /** Into {@code name} from the bitmap {@link SequencePlan#FIRST}. */
        BITMAP_MERGE,
        /** By Quoin, beside the requests that follow. */
        SNAPSHOT_CREATE,
        /** By Quoin beside requests; {@code stamp}: told to end at that progress. */
        SNAPSHOT_REMOVE,
        /** By Quoin, to {@link #newName}. */
        SNAPSHOT_RENAME,
        /** By Quoin; {@code stamp}: told to end at that progress. */
        SNAPSHOT_ROLLBACK,
        /** The image is closed while a snapshot is made, at the progress {@code stamp}. */
        SNAPSHOT_CUT_OFF,
        /**
         * A process ends while a snapshot is made, deleted or rolled back to, after {@code length}
         * tasks.
         */
        KILL_CREATE,
        KILL_REMOVE,
        KILL_ROLLBACK,
        /** An overlay on a snapshot is made, written and gone again. */
        CLONE,
        /** By Quoin, beside requests. */
        CHECK,
        /** All that QEMU repairs. */
        QEMU_REPAIR;

        /** Whether later steps are possible without it. */
        boolean canBeLeftOut() {
            return switch (this) {
                case WRITE, COMPRESSED, ZERO, DISCARD, FLUSH, REOPEN, QEMU, REBASE_SAME -> true;
                case SNAPSHOT_CREATE, SNAPSHOT_REMOVE, SNAPSHOT_RENAME, SNAPSHOT_ROLLBACK -> true;
                case SNAPSHOT_CUT_OFF, KILL_CREATE, KILL_REMOVE, KILL_ROLLBACK -> true;
                case CLONE, CHECK, QEMU_REPAIR -> true;
                case BITMAP_CLEAR, BITMAP_ENABLE, BITMAP_DISABLE, BITMAP_MERGE -> true;
                default -> false;
            };
        }
    }

    static SequenceStep of(Kind kind) {
        return new SequenceStep(kind, 0, 0, 0, IoFlags.NONE, "");
    }

    static SequenceStep of(Kind kind, String name, int stamp) {
        return new SequenceStep(kind, 0, 0, stamp, IoFlags.NONE, name);
    }

    /** What a snapshot is called after a RENAME. */
    String newName() {
        return name + "-";
    }

    int end() {
        return offset + length;
    }

    @Override
    public String toString() {
        return kind
                + (length > 0 ? " " + offset + "+" + length : "")
                + (stamp > 0 ? " stamp=" + stamp : "")
                + (flags != 0 ? " " + IoFlags.toString(flags) : "")
                + (name.isEmpty() ? "" : " " + name);
    }
}
