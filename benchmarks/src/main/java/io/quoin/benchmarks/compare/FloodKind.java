package io.quoin.benchmarks.compare;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What each client of a flood does, again and again. */
enum FloodKind {
    BLOCK_STATUS("block-status", "BLOCK_STATUS over the whole disk, 16 at a time"),
    OPTIONS("options", "INFO, LIST and unknown options, 48 at a time"),
    CONNECTIONS("connections", "opens a connection and closes it at once"),
    READS("reads", "64 reads of 32 MiB whose answers are never received, for a second"),
    WRITES("writes", "4 KiB writes at random places, 64 at a time");

    private final String label;
    private final String title;

    FloodKind(String label, String title) {
        this.label = label;
        this.title = title;
    }

    static List<FloodKind> all() {
        return Arrays.asList(values());
    }

    static Optional<FloodKind> of(String label) {
        return all().stream().filter(kind -> kind.label.equals(label)).findFirst();
    }

    String label() {
        return label;
    }

    String title() {
        return title;
    }
}
