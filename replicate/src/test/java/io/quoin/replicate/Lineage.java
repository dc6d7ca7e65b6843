package io.quoin.replicate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * From which configuration each epoch was opened. A committed configuration descends from every
 * older committed one, else two histories of the image are served. Unflushed writes are lost where
 * an epoch that took a suspect has a committed descendant, and nowhere else: an open that commits
 * nothing, and that no other has built on, has changed nothing.
 */
final class Lineage {
    private record Opened(Config parent, boolean isSuspect, long at) {}

    private final History history;
    private final Map<Long, Opened> opened = new HashMap<>();
    private final List<Config> committed = new ArrayList<>();

    Lineage(History history) {
        this.history = history;
    }

    /** An open goes on from here; one that begins again replaces this. */
    void opened(long epoch, Config parent, boolean isSuspect) {
        opened.put(epoch, new Opened(parent, isSuspect, history.tick()));
    }

    void committed(Config config) {
        for (Config other : committed) {
            boolean isNewer = config.isNewerThan(other);
            SimWorld.require(
                    isNewer ? descends(config, other) : descends(other, config),
                    "I3: two histories: " + config + ", " + other);
        }
        committed.add(config);
        for (Config each = config; each.epoch() > 0; each = parent(each)) {
            Opened open = opened.get(each.epoch());
            if (open.isSuspect()) {
                history.lost(each.epoch(), open.at());
            }
        }
    }

    private boolean descends(Config config, Config ancestor) {
        Config each = config;
        while (each.epoch() > ancestor.epoch()) {
            each = parent(each);
        }
        return !ancestor.isNewerThan(each);
    }

    Config parent(Config config) {
        return parent(config.epoch());
    }

    Config parent(long epoch) {
        return opened.get(epoch).parent();
    }
}
