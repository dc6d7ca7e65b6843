package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.quoin.nbd.peer.PeerLog;
import io.quoin.nbd.transmission.MemoryBudget;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
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
        listener.pipeline().addLast(new Gate(portal(1, 1), () -> false, SILENT));
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
