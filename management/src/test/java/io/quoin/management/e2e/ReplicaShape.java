package io.quoin.management.e2e;

import io.quoin.management.operation.VolumeCreate;
import io.quoin.replicate.Layout;
import java.util.List;
import java.util.Locale;

/** Replicated volumes as {@code quoin volume create} makes them. */
enum ReplicaShape {
    /** {@code replica 3}. */
    THREE(3, 0, 1, Layout.THREE),
    /** {@code replica 2 stripe 2}. */
    STRIPED(2, 0, 2, Layout.TWO),
    /** {@code replica 3 arbiter 1}. */
    ARBITER(3, 1, 1, Layout.TWO_ARBITER),
    /** {@code replica 2}. */
    TWO(2, 0, 1, Layout.TWO);

    private final int replica;
    private final int arbiter;
    private final int stripe;
    private final Layout layout;

    ReplicaShape(int replica, int arbiter, int stripe, Layout layout) {
        this.replica = replica;
        this.arbiter = arbiter;
        this.stripe = stripe;
        this.layout = layout;
    }

    /** A volume's name. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    Layout layout() {
        return layout;
    }

    int bricks() {
        return replica * stripe;
    }

    /** The brick's place in its replica set. */
    int index(int brick) {
        return brick % replica;
    }

    /** Whether each replica set has two bricks, and nothing else to tell which is the newer. */
    boolean isOfTwo() {
        return layout == Layout.TWO;
    }

    /** Whether the volume goes on without that brick. */
    boolean isSpare(int brick) {
        return layout != Layout.TWO || index(brick) == 1;
    }

    VolumeCreate.Request create(List<String> addresses) {
        return new VolumeCreate.Request(
                text(),
                addresses,
                (long) replica,
                (long) arbiter,
                (long) stripe,
                true,
                null,
                null,
                null,
                null);
    }
}
