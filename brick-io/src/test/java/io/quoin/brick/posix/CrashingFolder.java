package io.quoin.brick.posix;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A folder whose machine loses power before its n-th step. Content that was not flushed is lost,
 * and of the changes of names since the last flush of the folder any first part is kept.
 */
final class CrashingFolder implements DurableFile.Folder {
    /** The machine is off. */
    static final class PowerFailure extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** What a file has now, and what of it a power failure leaves. */
    private static final class Content {
        private String now = "";
        private String durable = "";
    }

    private final Map<String, Content> durableNames = new HashMap<>();
    private final Map<String, Content> names = new HashMap<>();
    private final List<Consumer<Map<String, Content>>> pending = new ArrayList<>();
    private int stepsLeft;

    CrashingFolder(int stepsLeft, Map<String, String> files) {
        this.stepsLeft = stepsLeft;
        files.forEach(
                (name, text) -> {
                    Content content = new Content();
                    content.now = text;
                    content.durable = text;
                    names.put(name, content);
                });
        durableNames.putAll(names);
    }

    private void step() {
        if (stepsLeft == 0) {
            throw new PowerFailure();
        }
        stepsLeft--;
    }

    private void change(Consumer<Map<String, Content>> change) {
        change.accept(names);
        pending.add(change);
    }

    @Override
    public void make(String name) {
        step();
        Content content = new Content();
        change(all -> all.put(name, content));
    }

    @Override
    public void write(String name, byte[] content) {
        step();
        names.get(name).now = new String(content, StandardCharsets.UTF_8);
    }

    @Override
    public void flush(String name) {
        step();
        names.get(name).durable = names.get(name).now;
    }

    @Override
    public void rename(String name, String newName, boolean replacing) {
        step();
        if (!replacing && names.containsKey(newName)) {
            throw Errno.exception("rename", newName, Errno.EEXIST);
        }
        change(all -> all.put(newName, all.remove(name)));
    }

    @Override
    public void remove(String name) {
        step();
        change(all -> all.remove(name));
    }

    @Override
    public void flush() {
        step();
        pending.forEach(change -> change.accept(durableNames));
        pending.clear();
    }

    @Override
    public void close() {}

    Set<String> namesNow() {
        return new TreeSet<>(names.keySet());
    }

    /** What may be in a file after the power failure; "none" where there is no such file. */
    Set<String> afterwards(String name) {
        Set<String> possible = new TreeSet<>();
        Map<String, Content> kept = new HashMap<>(durableNames);
        possible.add(text(kept.get(name)));
        for (Consumer<Map<String, Content>> change : pending) {
            change.accept(kept);
            possible.add(text(kept.get(name)));
        }
        return possible;
    }

    private static String text(@org.jspecify.annotations.Nullable Content content) {
        return content == null ? "none" : content.durable;
    }
}
