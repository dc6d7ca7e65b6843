package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.quoin.nbd.peer.PeerLog;
import io.quoin.nbd.transmission.MemoryBudget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.helpers.NOPLogger;

/** Places of a portal, and what happens when there is nothing to accept with. */
@Timeout(20)
final class GateTest {
    private static final PeerLog SILENT = new PeerLog(NOPLogger.NOP_LOGGER, System::nanoTime);

    private static Portal portal(int max, int perPeerMax) {
        return new Portal("test", max, perPeerMax, new MemoryBudget(1 << 20));
    }

    @Test
    void shouldGoOnAcceptingByItselfWhenAcceptingFailed() {
        EmbeddedChannel listener = new EmbeddedChannel();
        listener.freezeTime();
        listener.pipeline().addLast(new Gate(portal(1, 1), () -> false, SILENT, () -> 0));
        for (int round = 0; round < 3; round++) {
            listener.pipeline().fireExceptionCaught(new IOException("Too many open files"));
            assertThat(listener.config().isAutoRead()).isFalse();
            listener.advanceTimeBy(1, TimeUnit.SECONDS);
            listener.runScheduledPendingTasks();
            assertThat(listener.config().isAutoRead()).isTrue();
        }
        listener.checkException();
    }

    @Test
    void shouldHoldConnectionsBackWhenAPeerMakesThemTooFast() {
        AtomicBoolean isClosing = new AtomicBoolean();
        int more = 10;
        int all = ConnectionPace.AT_ONCE + more;
        Portal portal = portal(all, all);
        EmbeddedChannel listener = new EmbeddedChannel();
        listener.freezeTime();
        listener.pipeline().addLast(new Gate(portal, isClosing::get, SILENT, () -> 0));
        List<EmbeddedChannel> made = new ArrayList<>();
        for (int i = 0; i < all; i++) {
            made.add(new EmbeddedChannel());
            listener.pipeline().fireChannelRead(made.get(i));
        }
        assertThat(listener.inboundMessages()).hasSize(ConnectionPace.AT_ONCE);
        listener.advanceTimeBy(more / 2 * 1000 / ConnectionPace.EACH_SECOND, TimeUnit.MILLISECONDS);
        listener.runScheduledPendingTasks();
        int letIn = listener.inboundMessages().size();
        assertThat(letIn).isBetween(ConnectionPace.AT_ONCE + 1, all - 1);
        isClosing.set(true);
        listener.advanceTimeBy(1, TimeUnit.SECONDS);
        listener.runScheduledPendingTasks();
        assertThat(listener.inboundMessages()).hasSize(letIn);
        assertThat(made.subList(0, letIn)).allMatch(EmbeddedChannel::isOpen);
        assertThat(made.subList(letIn, all)).noneMatch(EmbeddedChannel::isOpen);
        assertThat(portal.admit("after those that were held")).isTrue();
    }

    @Test
    void shouldLeavePlacesToOthersWhenOnePeerTakesAllItMayHave() {
        Portal portal = portal(4, 3);
        for (int i = 0; i < 3; i++) {
            assertThat(portal.admit("greedy")).isTrue();
        }
        assertThat(portal.admit("greedy")).isFalse();
        assertThat(portal.admit("other")).isTrue();
        assertThat(portal.admit("third")).isFalse();
        portal.leave("greedy");
        assertThat(portal.admit("third")).isTrue();
        portal.leave("other");
        assertThat(portal.admit("greedy")).isTrue();
        assertThat(portal.admit("greedy")).isFalse();
    }
}
