package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class ScenarioTest {
    private static final long SECOND = 1000 * SimWorld.MILLIS;
    private static final int SEEDS = 20;

    private interface Scenario {
        void run(SimWorld world);
    }

    private static void each(Layout layout, Mutant mutant, Scenario scenario) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            SimWorld world = new SimWorld(layout, seed, mutant, false);
            scenario.run(world);
            world.history.check();
        }
    }

    private static SimClient open(SimWorld world, int index) {
        SimClient client = world.clients.get(index);
        client.open();
        assertThat(world.runUntil(5 * SECOND, client::isServing)).isTrue();
        return client;
    }

    private static void await(SimWorld world, History.Operation operation) {
        assertThat(world.runUntil(5 * SECOND, operation::isEnded)).as("%s", operation).isTrue();
    }

    private static void awaitHealed(SimWorld world) {
        world.runUntil(20 * SECOND, () -> world.whatIsNotHealed().isEmpty());
        assertThat(world.whatIsNotHealed()).isEmpty();
    }

    private static void readBehindAPartition(SimWorld world) {
        SimClient old = open(world, 0);
        await(world, old.write(0));
        world.isolate(0, 1);
        world.isolate(0, 2);
        world.isolate(1, 0);
        SimClient next = open(world, 1);
        await(world, next.write(0));
        History.Operation stale = old.read(0);
        world.run(SECOND);
        world.history.check();
        assertThat(stale.isEnded()).isFalse();
    }

    @Test
    void shouldNotAnswerStaleReadsWhenAnotherGatewayServesBehindAPartition() {
        each(Layout.THREE, new Mutant(), ScenarioTest::readBehindAPartition);
        assertThatThrownBy(
                        () ->
                                each(
                                        Layout.THREE,
                                        Mutants.GATEWAY_READS_UNCONFIRMED.mutant(),
                                        ScenarioTest::readBehindAPartition))
                .hasMessageContaining("not linearizable");
    }

    private static void takeOverWithAWriteUnderWay(SimWorld world) {
        SimClient old = open(world, 0);
        world.bricks.get(0).disk.setWriteDelay(100 * SimWorld.MILLIS);
        old.write(0);
        world.run(20 * SimWorld.MILLIS);
        old.crash();
        world.bricks.get(0).disk.setWriteDelay(0);
        SimClient next = open(world, 1);
        await(world, next.write(0));
        world.run(100 * SimWorld.MILLIS);
        await(world, next.flush());
        awaitHealed(world);
    }

    @Test
    void shouldLetOldWritesEndFirstWhenAnotherGatewayIsPromised() {
        each(Layout.THREE, new Mutant(), ScenarioTest::takeOverWithAWriteUnderWay);
        assertThatThrownBy(
                        () ->
                                each(
                                        Layout.THREE,
                                        Mutants.BRICK_DOES_NOT_DRAIN.mutant(),
                                        ScenarioTest::takeOverWithAWriteUnderWay))
                .hasMessageContaining("I5");
    }

    @Test
    void shouldNotAcknowledgeFlushesWhenTheOnlyBrickFailsToSync() {
        each(
                Layout.ONE,
                new Mutant(),
                world -> {
                    SimClient client = open(world, 0);
                    await(world, client.write(0));
                    world.bricks.get(0).disk.failNextSync();
                    List<History.Operation> flushes = new ArrayList<>();
                    flushes.add(client.flush());
                    flushes.add(client.flush());
                    world.runUntil(5 * SECOND, client::isOver);
                    assertThat(client.gateway().state()).isEqualTo(Gateway.State.CACHE_LOST);
                    assertThat(flushes).noneMatch(History.Operation::isEnded);
                    SimClient next = open(world, 1);
                    await(world, next.read(0));
                    await(world, next.flush());
                    awaitHealed(world);
                });
    }

    @ParameterizedTest
    @EnumSource(names = {"THREE", "TWO_ARBITER"})
    void shouldHealTheMemberWhenItFailsToSync(Layout layout) {
        each(
                layout,
                new Mutant(),
                world -> {
                    SimClient client = open(world, 0);
                    awaitHealed(world);
                    await(world, client.write(0));
                    world.bricks.get(0).disk.failNextSync();
                    await(world, client.flush());
                    assertThat(world.committed().isr()).doesNotContainEntry(0, 1L);
                    awaitHealed(world);
                    await(world, client.read(0));
                });
    }

    @ParameterizedTest
    @EnumSource(names = {"THREE", "TWO_ARBITER"})
    void shouldHealWhatIsWrittenMeanwhileWhenAHealIsInterrupted(Layout layout) {
        each(
                layout,
                new Mutant(),
                world -> {
                    SimClient client = open(world, 0);
                    awaitHealed(world);
                    client.setBusy(true);
                    for (int i = 0; i < 6; i++) {
                        world.bricks.get(1).crash();
                        world.run(SECOND / 2);
                        world.bricks.get(1).start();
                        world.run(world.random().nextLong(SECOND / 2));
                    }
                    client.setBusy(false);
                    awaitHealed(world);
                });
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepFlushedWritesWhenAllLosePower(Layout layout) {
        each(
                layout,
                new Mutant(),
                world -> {
                    SimClient client = open(world, 0);
                    await(world, client.write(0));
                    await(world, client.flush());
                    client.setBusy(true);
                    world.run(SECOND / 4);
                    world.bricks.forEach(SimBrick::crash);
                    client.crash();
                    world.bricks.forEach(SimBrick::start);
                    SimClient next = open(world, 1);
                    for (int block = 0; block < SimWorld.GEOMETRY.blocks(); block++) {
                        await(world, next.read(block));
                    }
                    awaitHealed(world);
                });
    }

    @ParameterizedTest
    @EnumSource
    void shouldHandOverThereAndBackWithoutALossWhenBricksReboot(Layout layout) {
        each(
                layout,
                new Mutant(),
                world -> {
                    for (int i = 0; i < 4; i++) {
                        SimClient source = open(world, i % 2);
                        await(world, source.write(i));
                        source.gateway().quiesce(() -> {});
                        assertThat(
                                        world.runUntil(
                                                5 * SECOND,
                                                () ->
                                                        source.gateway().state()
                                                                == Gateway.State.QUIESCED))
                                .isTrue();
                        world.bricks.forEach(SimBrick::crash);
                        world.bricks.forEach(SimBrick::start);
                    }
                    SimClient last = open(world, 0);
                    await(world, last.read(3));
                    assertThat(world.history.losses()).isZero();
                });
    }

    @Test
    void shouldGoOnWhenAHandOverIsGivenUp() {
        each(
                Layout.THREE,
                new Mutant(),
                world -> {
                    SimClient source = open(world, 0);
                    await(world, source.write(0));
                    source.gateway().quiesce(source.gateway()::resume);
                    world.run(SECOND / 10);
                    assertThat(world.runUntil(SECOND, source::isServing)).isTrue();
                    await(world, source.write(0));
                    open(world, 1);
                    History.Operation fenced = source.write(0);
                    assertThat(world.runUntil(5 * SECOND, source::isOver)).isTrue();
                    assertThat(fenced.isEnded()).isFalse();
                });
    }

    @Test
    void shouldWaitAndGoOnWhenTheMajorityIsLostAndReturns() {
        each(
                Layout.TWO,
                new Mutant(),
                world -> {
                    SimClient client = open(world, 0);
                    world.bricks.get(1).kill();
                    await(world, client.write(0));
                    world.bricks.get(1).start();
                    awaitHealed(world);
                    world.bricks.get(0).kill();
                    History.Operation waiting = client.write(1);
                    world.run(2 * SECOND);
                    assertThat(waiting.isEnded()).isFalse();
                    world.bricks.get(0).start();
                    await(world, waiting);
                });
    }
}
