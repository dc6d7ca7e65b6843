package io.quoin.replicate;

import static io.quoin.replicate.Layout.ONE;
import static io.quoin.replicate.Layout.THREE;
import static io.quoin.replicate.Layout.TWO;
import static io.quoin.replicate.Layout.TWO_ARBITER;

import java.util.List;
import java.util.function.Consumer;

/** A course of events that walks meet rarely; times and messages vary with the seed. */
enum Scenario {
    GATEWAY_CRASHES_WITH_DIVERGENT_WRITES(
            OpenScenarios::gatewayCrashesWithDivergentWrites, ONE, TWO, TWO_ARBITER, THREE),
    TAKE_OVER_WITH_A_WRITE_UNDER_WAY(
            OpenScenarios::takeOverWithAWriteUnderWay, ONE, TWO, TWO_ARBITER, THREE),
    READ_BEHIND_A_PARTITION(OpenScenarios::readBehindAPartition, TWO_ARBITER, THREE),
    LONGER_COPY_IS_CUT(OpenScenarios::longerCopyIsCut, TWO, TWO_ARBITER, THREE),
    PROMISE_THEN_CRASH(OpenScenarios::promiseThenCrash, ONE, TWO, TWO_ARBITER, THREE),
    OLD_CONNECTION_DRAINS(OpenScenarios::oldConnectionDrains, ONE, TWO, TWO_ARBITER, THREE),
    CONFIG_ACCEPTED_BY_A_MINORITY(OpenScenarios::configAcceptedByAMinority, TWO_ARBITER, THREE),
    THREE_GATEWAYS_DUEL(OpenScenarios::threeGatewaysDuel, ONE, TWO, TWO_ARBITER, THREE),
    SAME_EPOCH_TWICE(OpenScenarios::sameEpochTwice, ONE, TWO, TWO_ARBITER, THREE),
    SUSPECT_IS_NOT_COMMITTED(OpenScenarios::suspectIsNotCommitted, TWO_ARBITER, THREE),
    STALE_BRICK_ALONE(OpenScenarios::staleBrickAlone, TWO, TWO_ARBITER, THREE),
    REBOOT_BEFORE_DROPPED(HealScenarios::rebootBeforeDropped, TWO, TWO_ARBITER, THREE),
    REBOOT_AFTER_DROPPED(HealScenarios::rebootAfterDropped, TWO, TWO_ARBITER, THREE),
    MEMBER_ACKS_REBOOTS_RECONNECTS(
            HealScenarios::memberAcksRebootsReconnects, TWO, TWO_ARBITER, THREE),
    HEAL_INTERRUPTED_AT_EACH_STEP(HealScenarios::interruptedAtEachStep, TWO, TWO_ARBITER, THREE),
    HEAL_UNDER_OVERLAPPING_WRITES(HealScenarios::overlappingWrites, TWO, TWO_ARBITER, THREE),
    HEAL_SOURCE_IS_LOST(HealScenarios::sourceIsLost, TWO, TWO_ARBITER, THREE),
    JOINS_WITH_A_SLOW_WRITE(HealScenarios::joinsWithASlowWrite, TWO, TWO_ARBITER, THREE),
    JOINS_WHILE_ANOTHER_IS_FULL(HealScenarios::joinsWhileAnotherIsFull, TWO_ARBITER),
    BRICK_FLAPS(HealScenarios::brickFlaps, TWO, TWO_ARBITER, THREE),
    BRICK_FREEZES(HealScenarios::brickFreezes, TWO, TWO_ARBITER, THREE),
    HAND_OVER_THERE_AND_BACK(HandOverScenarios::thereAndBack, ONE, TWO, TWO_ARBITER, THREE),
    HAND_OVER_GIVEN_UP(HandOverScenarios::givenUp, ONE, TWO, TWO_ARBITER, THREE),
    HAND_OVER_ABORTED_AT_EACH_STEP(
            HandOverScenarios::abortedAtEachStep, ONE, TWO, TWO_ARBITER, THREE),
    HAND_OVER_RESUMED_THEN_POWER_LOSS(
            HandOverScenarios::resumedThenPowerLoss, ONE, TWO, TWO_ARBITER, THREE),
    HAND_OVER_WHILE_A_BRICK_IS_FROZEN(
            HandOverScenarios::whileABrickIsFrozen, TWO, TWO_ARBITER, THREE),
    ALL_LOSE_POWER(FaultScenarios::allLosePower, ONE, TWO, TWO_ARBITER, THREE),
    ALL_BRICKS_REBOOT(FaultScenarios::allBricksReboot, ONE, TWO, TWO_ARBITER, THREE),
    SYNC_FAILS_ON_ALL(FaultScenarios::syncFailsOnAll, ONE, TWO, TWO_ARBITER, THREE),
    SYNC_FAILS_ON_ONE(FaultScenarios::syncFailsOnOne, TWO, TWO_ARBITER, THREE),
    MAJORITY_IS_LOST_AND_RETURNS(FaultScenarios::majorityIsLostAndReturns, TWO, TWO_ARBITER, THREE),
    ARBITER_IS_LOST_AND_RETURNS(FaultScenarios::arbiterIsLostAndReturns, TWO_ARBITER),
    BRICK_IS_REPLACED(ReplaceScenarios::brickIsReplaced, TWO, TWO_ARBITER, THREE),
    BRICK_IS_REPLACED_WHILE_CLOSED(
            ReplaceScenarios::brickIsReplacedWhileClosed, TWO, TWO_ARBITER, THREE),
    REPLACEMENT_IS_REPLACED(ReplaceScenarios::replacementIsReplaced, TWO, TWO_ARBITER, THREE),
    REPLACED_AND_TAKEN_OVER(ReplaceScenarios::replacedAndTakenOver, TWO, TWO_ARBITER, THREE),
    BRICK_IS_ROLLED_BACK(ReplaceScenarios::brickIsRolledBack, TWO, TWO_ARBITER, THREE),
    ARBITER_IS_ROLLED_BACK(ReplaceScenarios::arbiterIsRolledBack, TWO_ARBITER),
    ARBITER_IS_REPLACED(ReplaceScenarios::arbiterIsReplaced, TWO_ARBITER),
    NEW_MAJORITY(ReplaceScenarios::newMajority, TWO_ARBITER, THREE),
    BLOCKS_ROT(RepairScenarios::blocksRot, TWO, TWO_ARBITER, THREE),
    REPAIR_IS_INTERRUPTED(RepairScenarios::repairIsInterrupted, TWO, TWO_ARBITER, THREE),
    BLOCK_ROTS_ON_ALL(RepairScenarios::blockRotsOnAll, ONE, TWO, TWO_ARBITER, THREE);

    @SuppressWarnings("ImmutableEnumChecker") // a method without state
    private final Consumer<SimWorld> course;

    @SuppressWarnings("ImmutableEnumChecker") // List.of
    private final List<Layout> layouts;

    Scenario(Consumer<SimWorld> course, Layout... layouts) {
        this.course = course;
        this.layouts = List.of(layouts);
    }

    /** Those where it applies. */
    List<Layout> layouts() {
        return layouts;
    }

    /** Fails with what is wrong. */
    void run(SimWorld world) {
        course.accept(world);
        world.history.check();
    }
}
