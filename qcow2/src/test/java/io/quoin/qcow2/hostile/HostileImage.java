package io.quoin.qcow2.hostile;

import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A malformed image, made when it is asked for, and how it has to end.
 *
 * @param name begins with the number of the checklist line
 * @param says what a message about it has to contain; empty: anything
 */
public record HostileImage(String name, Verdict verdict, String says, Supplier<SmallImage> image) {
    /** How opening and using an image ends. */
    public enum Verdict {
        /** No entrance opens it. */
        REFUSED,
        /** It is described and checked offline, but the data path refuses it. */
        NOT_SERVED,
        /** It is read but not opened for writing. */
        READ_ONLY,
        /** It opens; some request of a guest that reads all of it ends in EIO. */
        UNREADABLE,
        /** It opens for writing; some write ends in EIO, and the image is marked corrupt. */
        UNWRITABLE,
        /** It is odd, and served like any other. */
        SERVED,
        /** It is served without an error, but a check says what is wrong with it. */
        FOUND
    }

    static HostileImage of(
            String name,
            Verdict verdict,
            String says,
            Supplier<SmallImage> valid,
            Consumer<SmallImage> damage) {
        return new HostileImage(
                name,
                verdict,
                says,
                () -> {
                    SmallImage image = valid.get();
                    damage.accept(image);
                    return image;
                });
    }

    @Override
    public String toString() {
        return name;
    }
}
