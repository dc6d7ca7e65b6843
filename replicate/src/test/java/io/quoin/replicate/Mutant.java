package io.quoin.replicate;

import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The protocol as it is, and with one rule broken; what catches that is the start of a message. */
enum Mutant {
    NONE(""),

    /** Older epochs and sessions are served. */
    BRICK_SERVES_ALL("I2"),
    /** Older sessions of the same gateway are served. */
    BRICK_IGNORES_SESSIONS("I2"),
    /** A promise is answered while writes are under way. */
    BRICK_DOES_NOT_DRAIN("I2"),
    BRICK_WRITES_BEFORE_ACTIVE("I6"),
    /** A failed sync is tried again. */
    BRICK_RETRIES_SYNC("I18"),
    BRICK_ANSWERS_FAILED_SYNC("I18"),
    /** Of two syncs at once one is told of the failure. */
    BRICK_SYNCS_TWICE_AT_ONCE("I18"),
    /** After a failed sync the session goes on. */
    BRICK_KEEPS_SESSION_AFTER_LOSS("I5"),
    /** A rebooted brick says that it has lost nothing. */
    BRICK_KEEPS_CACHE_EPOCH("I5"),
    BRICK_PROMISES_IN_MEMORY("I1"),
    BRICK_PROMISES_OLDER("I1"),
    /** An epoch is promised to two gateways. */
    BRICK_PROMISES_TWICE("I3", Scenario.SAME_EPOCH_TWICE),
    BRICK_CONFIGURES_IN_MEMORY("I1"),
    BRICK_MERGES_IN_MEMORY("I14"),
    BRICK_ACKNOWLEDGES_AT_ONCE("I4"),
    BRICK_FLUSHES_NOTHING("I5"),
    BRICK_TELLS_NO_DIRTY("I11"),
    BRICK_TELLS_NO_ACTIVE("I9"),

    /** A member that has lost its cache counts. */
    GATEWAY_TRUSTS_ALL("I5"),
    /** One member's word is enough. */
    GATEWAY_NEEDS_ONE("I4"),
    /** Members that are away are not needed, before the configuration says so. */
    GATEWAY_DROPS_BEFORE_COMMIT("I4"),
    /** The proposed set is enough. */
    GATEWAY_ACKNOWLEDGES_UNDER_PROPOSED("I4"),
    /** Acknowledgements outlive their session. */
    GATEWAY_KEEPS_ACKS("I4"),
    /** One voter commits. */
    GATEWAY_COMMITS_ALONE("I3"),
    GATEWAY_SKIPS_CONFIG_IN_NEW_SESSIONS("I13"),
    /** A member is taken in while another is being left out. */
    GATEWAY_PROPOSES_TWICE("I3"),
    /** A brick that is new at its index has its vote at once. */
    MEMBERSHIP_COUNTS_NEW_BRICKS("I3: two histories", Scenario.NEW_MAJORITY),
    /** A brick that has forgotten what it had accepted is taken for the one that had not. */
    MEMBERSHIP_TRUSTS_ROLLED_BACK_BRICKS("not healed: content", Scenario.BRICK_IS_ROLLED_BACK),
    /** Its heal copies what was written since, as that of one that was away. */
    MEMBERSHIP_RECORDS_NOTHING("I14", Scenario.BRICK_IS_REPLACED),
    GATEWAY_RESUMES_UNDER_CLEAN("clean"),
    GATEWAY_QUIESCES_UNFLUSHED("clean"),

    /** A stale read of a gateway that was superseded behind a partition. */
    OPERATIONS_READ_UNCONFIRMED("not linearizable", Scenario.READ_BEHIND_A_PARTITION),
    /** The word of the round before the read's is enough. */
    OPERATIONS_READ_TAKES_AN_OLD_WORD("not linearizable", Scenario.READ_BEHIND_A_PARTITION),
    OPERATIONS_READ_UNLOCKED("I8"),
    OPERATIONS_READ_FROM_SYNCING("I10"),
    /** A copy does not wait for writes, nor they for it. */
    OPERATIONS_COPY_UNLOCKED("I9"),
    OPERATIONS_SEND_NOT_TO_SYNCING("I5"),
    /** The next write goes out while a member still writes the last one. */
    OPERATIONS_UNLOCK_AT_ACKNOWLEDGEMENT("I5"),
    OPERATIONS_RESEND_NOTHING("liveness"),
    /** The memory of a write is used again once guests have its answer. */
    OPERATIONS_GIVES_BACK_AT_ACKNOWLEDGEMENT("I"),
    OPERATIONS_FLUSH_NEEDS_ONE("I5"),

    /** What is read from another member stays as it is where it is corrupt. */
    REPAIRS_NOTHING("not in time: is repaired", Scenario.BLOCKS_ROT),

    OPENING_NEEDS_NO_MAJORITY("I3"),
    OPENING_TAKES_ANY_CONFIG("I3"),
    OPENING_TAKES_ANY_SOURCE("I10"),
    OPENING_COPIES_NOTHING("I15"),
    OPENING_FLUSHES_NOTHING("I15"),

    /** A region with a write under way is cleaned. */
    CLEANER_CLEANS_BUSY_REGIONS("I12"),
    CLEANER_FLUSHES_NOTHING("I12"),

    HEALER_FLUSHES_NOTHING("I11"),
    /** What the member still writes is not waited for. */
    HEALER_FLUSHES_TOO_EARLY("I5", Scenario.JOINS_WITH_A_SLOW_WRITE),
    /** Acknowledgements do not need the member until it is in the set. */
    HEALER_JOINS_UNNEEDED("I5"),
    /** What was copied in an older session counts. */
    HEALER_KEEPS_PROGRESS("I11"),
    /** What was under way on the member when it was lost is not copied. */
    HEALER_FORGETS_ACTIVE("I11");

    private final String caught;
    private final @Nullable Scenario scenario;

    Mutant(String caught) {
        this(caught, null);
    }

    Mutant(String caught, @Nullable Scenario scenario) {
        this.caught = caught;
        this.scenario = scenario;
    }

    /** How the message of the check begins that catches it. */
    String caught() {
        return caught;
    }

    /** Where; null is walks. */
    @Nullable Scenario scenario() {
        return scenario;
    }

    Brick brick(int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
        return new MutantBrick(this, id, metadata, store, port);
    }

    Gateway gateway(long id, long epoch, Layout layout, GatewayPort port) {
        return new MutantGateway(this, id, epoch, layout, port);
    }
}
