package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.parents.SharedParents.Parent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The images from the one that was asked for down to one that is being opened.
 *
 * <p>Threading: confined(loop).
 *
 * @param names their names; the last is the one that is being opened
 * @param parent what that one is opened as; null: the one that was asked for
 */
public record Chain(List<String> names, @Nullable Parent parent) {
    static final int LENGTH_MAX = 256;

    /** Of the image that is asked for. */
    public static Chain of(String image) {
        return new Chain(List.of(image), null);
    }

    Chain with(String name, Parent opened) {
        List<String> all = new ArrayList<>(names);
        all.add(name);
        return new Chain(all, opened);
    }

    /** The image whose backing file is looked for. */
    public String image() {
        return names.get(names.size() - 1);
    }

    int length() {
        return names.size();
    }

    /** Refuses a next one that is above already, or one too many. */
    public void requireNext(String name) {
        if (names.contains(name)) {
            throw loop(name);
        }
        if (length() >= LENGTH_MAX) {
            throw tooLong();
        }
    }

    BlockException loop(String name) {
        return new BlockException(
                BlockError.EINVAL,
                "backing chain is a loop: image=" + image() + ", backing file=" + name);
    }

    BlockException tooLong() {
        return new BlockException(
                BlockError.EINVAL,
                "backing chain is too long: image=" + image() + ", expected=at most " + LENGTH_MAX);
    }
}
