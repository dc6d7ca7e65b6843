package io.quoin.testkit.crash;

/**
 * Something that reached a file, or a mark of the test's own.
 *
 * <p>Threading: confined to the test.
 */
public final class DiskEvent {
    /** What happened to the file. */
    public enum Kind {
        WRITE,
        ZERO,
        RESIZE,
        FLUSHED,
        MARK
    }

    static final int NEVER = Integer.MAX_VALUE;

    public final Kind kind;
    public final String file;
    public final long offset;
    public final long length;
    public final byte[] data;
    public final Runnable mark;

    /** Whether it has been reported done. */
    boolean complete;

    /** From how many events on it is certain to survive a crash. */
    int stableAt = NEVER;

    DiskEvent(Kind kind, String file, long offset, long length, byte[] data, Runnable mark) {
        this.kind = kind;
        this.file = file;
        this.offset = offset;
        this.length = length;
        this.data = data;
        this.mark = mark;
    }

    static DiskEvent mark(Runnable mark) {
        DiskEvent event = new DiskEvent(Kind.MARK, "", 0, 0, new byte[0], mark);
        event.stableAt = 0;
        return event;
    }

    /** Whether it changes a file. */
    boolean changes() {
        return kind == Kind.WRITE || kind == Kind.ZERO || kind == Kind.RESIZE;
    }

    boolean overlaps(DiskEvent other) {
        return kind != Kind.RESIZE
                && other.kind != Kind.RESIZE
                && offset < other.offset + other.length
                && other.offset < offset + length;
    }

    @Override
    public String toString() {
        return kind + " " + file + " " + offset + "+" + length;
    }
}
