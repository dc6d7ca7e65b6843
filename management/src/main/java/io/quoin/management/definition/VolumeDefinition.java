package io.quoin.management.definition;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Layout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a volume is made of, as it is kept in its folder.
 *
 * <p>Threading: immutable.
 *
 * @param id a UUID; the folders of its bricks are marked with it
 * @param name of the volume
 * @param bricks in order: each replica set is {@code replica} of them that follow one another
 * @param replica how many bricks have the same data; 1: no replication
 * @param arbiter how many of those have no data, the last of each set; 0 or 1
 * @param stripe over how many replica sets files are striped; 1: no striping
 * @param state where it is
 * @param options those that were set, by their keys
 */
public record VolumeDefinition(
        String id,
        String name,
        List<String> bricks,
        int replica,
        int arbiter,
        int stripe,
        VolumeState state,
        Map<String, String> options) {
    private static final int REPLICA_MAX = 3;
    private static final int STRIPE_MAX = 64;
    private static final int REPLICA_OF_ARBITER = 3;

    public VolumeDefinition {
        bricks = List.copyOf(bricks);
        // Not in what programs before this one have written.
        options = Collections.unmodifiableMap(new TreeMap<>(orEmpty(options)));
    }

    private static Map<String, String> orEmpty(@Nullable Map<String, String> options) {
        return options == null ? Map.of() : options;
    }

    /**
     * A new volume.
     *
     * @throws BlockException EINVAL, with the arithmetic, if the numbers do not go together
     */
    public static VolumeDefinition of(
            String name, List<String> bricks, int replica, int arbiter, int stripe) {
        VolumeName.check(name);
        within("replica", replica, REPLICA_MAX);
        within("stripe", stripe, STRIPE_MAX);
        if (arbiter != 0 && (arbiter != 1 || replica != REPLICA_OF_ARBITER)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "arbiter: count="
                            + arbiter
                            + ", replica="
                            + replica
                            + ", expected=replica 3 arbiter 1: two bricks with data and one that"
                            + " only votes");
        }
        List<String> addresses =
                bricks.stream().map(BrickAddress::of).map(BrickAddress::text).toList();
        if (addresses.size() != replica * stripe) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "number of bricks: replica "
                            + replica
                            + " x stripe "
                            + stripe
                            + " = "
                            + replica * stripe
                            + ", actual="
                            + addresses.size());
        }
        Set<String> seen = new HashSet<>();
        for (String address : addresses) {
            if (!seen.add(address)) {
                throw new BlockException(
                        BlockError.EINVAL, "brick is named twice: value=" + address);
            }
        }
        return new VolumeDefinition(
                UUID.randomUUID().toString(),
                name,
                addresses,
                replica,
                arbiter,
                stripe,
                VolumeState.CREATED,
                Map.of());
    }

    private static void within(String what, int value, int max) {
        if (value < 1 || value > max) {
            throw new BlockException(
                    BlockError.EINVAL, what + ": count=" + value + ", expected=1 to " + max);
        }
    }

    /** The same one by another id. */
    VolumeDefinition withId(String newId) {
        return new VolumeDefinition(newId, name, bricks, replica, arbiter, stripe, state, options);
    }

    /** Whether it is to be made of the same bricks in the same places. */
    boolean isMadeAs(VolumeDefinition other) {
        return withId(other.id).in(other.state).equals(other);
    }

    /** Whether its bricks are of the replication protocol; else folders with plain files. */
    @JsonIgnore
    boolean isReplicated() {
        return replica > 1 || addresses().stream().anyMatch(brick -> brick.folder() == null);
    }

    /** Of each of its replica sets. */
    Layout layout() {
        return switch (replica) {
            case 1 -> Layout.ONE;
            case 2 -> Layout.TWO;
            default -> arbiter == 0 ? Layout.THREE : Layout.TWO_ARBITER;
        };
    }

    VolumeDefinition in(VolumeState newState) {
        return new VolumeDefinition(id, name, bricks, replica, arbiter, stripe, newState, options);
    }

    /** With another brick in the place of one. */
    VolumeDefinition withBrick(int number, String address) {
        List<String> next = new ArrayList<>(bricks);
        next.set(number, address);
        return new VolumeDefinition(id, name, next, replica, arbiter, stripe, state, options);
    }

    VolumeDefinition withOptions(Map<String, String> newOptions) {
        return new VolumeDefinition(id, name, bricks, replica, arbiter, stripe, state, newOptions);
    }

    List<BrickAddress> addresses() {
        return bricks.stream().map(BrickAddress::of).toList();
    }

    /** Whether the brick of that number, from 0, has no data. */
    public boolean isArbiter(int brick) {
        return arbiter > 0 && brick % replica == replica - 1;
    }

    /** As GlusterFS calls it. */
    @JsonIgnore
    public String type() {
        String replicated = replica > 1 ? "Replicate" : "";
        String striped = stripe > 1 ? "Stripe" : "";
        String both = striped.isEmpty() || replicated.isEmpty() ? "" : "-";
        String type = striped + both + replicated;
        return type.isEmpty() ? "Brick" : type;
    }

    /** As GlusterFS prints it, {@code 2 x (2 + 1) = 6}. */
    @JsonIgnore
    public String arithmetic() {
        String set =
                arbiter == 0
                        ? String.valueOf(replica)
                        : "(" + (replica - arbiter) + " + " + arbiter + ")";
        return stripe + " x " + set + " = " + bricks.size();
    }
}
