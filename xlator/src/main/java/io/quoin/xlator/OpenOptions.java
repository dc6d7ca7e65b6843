package io.quoin.xlator;

/**
 * How a file is opened. What a layer does not know it passes down.
 *
 * <p>Threading: immutable.
 *
 * @param mode whether it may be written
 * @param listener hears of what happens to it, and of that to what it stands on
 */
public record OpenOptions(OpenMode mode, FileListener listener) {
    public static final OpenOptions READ_ONLY = of(OpenMode.READ_ONLY);
    public static final OpenOptions READ_WRITE = of(OpenMode.READ_WRITE);

    /** With nothing but a mode. */
    public static OpenOptions of(OpenMode mode) {
        return new OpenOptions(mode, FileListener.NONE);
    }

    public OpenOptions mode(OpenMode newMode) {
        return new OpenOptions(newMode, listener);
    }

    public OpenOptions listener(FileListener newListener) {
        return new OpenOptions(mode, newListener);
    }

    /**
     * For a file that another is made of: its size and what it can do are not the other's, whose
     * listener hears of all else that happens to it.
     */
    public OpenOptions ofPart() {
        return listener(
                event -> {
                    boolean isOwn =
                            event.kind() == FileEvent.Kind.RESIZED
                                    || event.kind() == FileEvent.Kind.CAPABILITIES_CHANGED;
                    if (!isOwn) {
                        listener.onEvent(event);
                    }
                });
    }

    public boolean isReadOnly() {
        return mode == OpenMode.READ_ONLY;
    }
}
