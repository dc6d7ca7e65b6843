package io.quoin.replicate.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class BrickHostTest {
    private static final UUID VOLUME = new UUID(1, 1);
    private static final UUID FILE = new UUID(2, 2);
    private static final long LOG_BYTES = 64 << 10;

    private final VirtualLoopGroup group = new VirtualLoopGroup(1);
    private VirtualLoop loop = group.loop(0);
    private MemoryXlator below = new MemoryXlator("below", false);
    private final List<Reply> replies = new ArrayList<>();
    private long session;
    private long id;

    private void format() {
        group.await(BrickHost.format(below, loop, VOLUME, 0, Layout.ONE, LOG_BYTES));
    }

    private BrickHost open(String boot) {
        return group.await(BrickHost.open(below, loop, VOLUME, boot, LOG_BYTES));
    }

    private Reply.Result ask(BrickHost host, Request.Operation operation) {
        int before = replies.size();
        if (operation instanceof Request.Promise) {
            session++;
        }
        Request request = new Request(9, 1, session, ++id, operation);
        loop.run(() -> host.receive(FILE, request, replies::add));
        group.runUntil(() -> replies.size() > before);
        return replies.get(before).result();
    }

    private Reply.Promised promise(BrickHost host) {
        return (Reply.Promised) ask(host, new Request.Promise());
    }

    private static Payload payload(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return Payload.of(bytes);
    }

    private static BitSet region0() {
        BitSet regions = new BitSet();
        regions.set(0);
        return regions;
    }

    /** As a kill of the process leaves it: the page cache stays. */
    private void kill() {
        loop.kill();
        loop = loop.restart();
        below = below.copy();
    }

    /** How often it has lost its cache. */
    private static long lost(Reply.Promised promised) {
        return (promised.cacheEpoch() & ((1 << 24) - 1)) - 1;
    }

    @Test
    void shouldKeepDataAndPromiseWhenItIsClosedAndOpened() {
        format();
        BrickHost host = open("boot 1");
        promise(host);
        ask(host, new Request.Write(5000, payload(3000, 7), true));
        group.await(loop.call(host::close));
        BrickHost again = open("boot 2");
        assertThat(again.identity().startCount()).isEqualTo(2);
        Reply.Promised promised = promise(again);
        assertThat(lost(promised)).isZero();
        assertThat(promised.sizeBytes()).isEqualTo(8000);
        assertThat(promised.active()).isEqualTo(region0());
        assertThat(ask(again, new Request.Read(5000, 4000)))
                .isEqualTo(
                        new Reply.Data(Payload.of(Arrays.copyOf(payload(3000, 7).bytes(), 4000))));
    }

    @Test
    void shouldKeepTheCacheWhenOnlyTheProcessEnds() {
        format();
        BrickHost host = open("boot 1");
        promise(host);
        ask(host, new Request.Write(0, payload(4096, 7), false));
        ask(host, new Request.Flush());
        group.runUntilIdle();
        kill();
        assertThat(lost(promise(open("boot 1")))).isEqualTo(0);
    }

    @Test
    void shouldLoseTheCacheWhenTheMachineIsAnother() {
        format();
        promise(open("boot 1"));
        kill();
        BrickHost second = open("boot 2");
        assertThat(second.identity().cacheEpoch()).isEqualTo(2);
        assertThat(lost(promise(second))).isEqualTo(1);
        kill();
        assertThat(lost(promise(open("boot 2")))).isEqualTo(1);
    }

    @Test
    void shouldLoseTheCacheWhenASyncWasUnderWay() {
        format();
        promise(open("boot 1"));
        kill();
        below.put(SyncMark.NAME, SyncMark.content(1, true));
        assertThat(lost(promise(open("boot 1")))).isEqualTo(1);
    }

    @Test
    @LogsErrors("block is not what was bound")
    void shouldFindAFlippedBitWhenTheRegionIsBound() {
        format();
        BrickHost host = open("boot 1");
        promise(host);
        ask(host, new Request.Write(0, payload(10_000, 7), true));
        assertThat(ask(host, new Request.Clean(region0()))).isEqualTo(new Reply.Done());
        assertThat(ask(host, new Request.Read(100, 8000)))
                .isEqualTo(new Reply.Data(payload(8000, 7)));
        group.await(loop.call(host::close));
        byte[] data = below.content(StoredFile.dataName(FILE));
        data[5000] ^= 4;
        below.put(StoredFile.dataName(FILE), data);
        BrickHost again = open("boot 1");
        assertThat(promise(again).active()).isEqualTo(new BitSet());
        assertThat(ask(again, new Request.Read(100, 8000))).isEqualTo(new Reply.Corrupt());
        assertThat(ask(again, new Request.Read(0, 4096)))
                .isEqualTo(new Reply.Data(payload(4096, 7)));
        assertThat(ask(again, new Request.Read(500_000, 9000)))
                .isEqualTo(new Reply.Data(payload(9000, 0)));
    }

    @Test
    void shouldReadZerosWhenItIsCutAndGrowsAgain() {
        format();
        BrickHost host = open("boot 1");
        promise(host);
        ask(host, new Request.Write(0, payload(20_000, 7), true));
        ask(host, new Request.Clean(region0()));
        ask(host, new Request.Resize(5000));
        ask(host, new Request.Resize(20_000));
        ask(host, new Request.Flush());
        ask(host, new Request.Clean(region0()));
        byte[] expected = new byte[20_000];
        Arrays.fill(expected, 0, 5000, (byte) 7);
        assertThat(ask(host, new Request.Read(0, 20_000)))
                .isEqualTo(new Reply.Data(Payload.of(expected)));
    }

    @Test
    void shouldForgetAFileWhenItIsDeleted() {
        format();
        BrickHost host = open("boot 1");
        promise(host);
        ask(host, new Request.Write(0, payload(4096, 7), true));
        group.await(loop.call(() -> host.delete(FILE)));
        assertThat(group.await(loop.call(host::list))).isEmpty();
        assertThat(ask(host, new Request.Flush())).isEqualTo(new Reply.NoSession());
        kill();
        assertThat(group.await(loop.call(open("boot 1")::list))).isEmpty();
    }

    @Test
    void shouldRefuseWhenTheFolderIsNoBrickOfTheVolume() {
        assertThatThrownBy(() -> open("boot 1"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("empty");
        below.put("letter", new byte[10]);
        assertThatThrownBy(() -> open("boot 1")).hasMessageContaining("no label");
        assertThatThrownBy(this::format).hasMessageContaining("not empty");
        group.await(below.remove("letter"));
        format();
        assertThatThrownBy(
                        () ->
                                group.await(
                                        BrickHost.open(
                                                below, loop, new UUID(5, 5), "b", LOG_BYTES)))
                .hasMessageContaining("another volume");
        assertThatThrownBy(this::format).hasMessageContaining("not empty");
    }
}
