package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.nbd.NbdClient.OptionReply;
import io.quoin.nbd.NbdClient.Reply;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Exports with a dirty bitmap: how it is listed and selected, and BLOCK_STATUS of two contexts. */
@Timeout(60)
final class DirtyBitmapTest {
    private static final int BLOCK = 4096;
    private static final String BASE = "base:allocation";
    private static final String CHANGED = "qemu:dirty-bitmap:changed";
    private static final byte[] NONE = {};

    private final TestServer server = new TestServer();

    /** Bitmaps that are not answered yet. */
    private final BlockingQueue<Consumer<BlockError>> waiting = new LinkedBlockingQueue<>();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    /** Every other block is dirty, up to a number of blocks in one answer. */
    private static void alternate(long offset, long length, ExtentList target, int blocksMax) {
        long at = offset;
        long end = offset + length;
        for (int i = 0; i < blocksMax && at < end; i++) {
            long next = Math.min(end, (at / BLOCK + 1) * BLOCK);
            if (!target.add(next - at, (int) (at / BLOCK % 2))) {
                return;
            }
            at = next;
        }
    }

    private void bitmapOf(int blocksMax) {
        server.catalogue.bitmaps.put(
                "disk",
                (offset, length, target, ended) -> {
                    alternate(offset, length, target, blocksMax);
                    ended.accept(BlockError.OK);
                });
    }

    private NbdClient structured() throws IOException {
        NbdClient client = NbdClient.greeted(server.unix());
        client.expectAck(NbdOption.STRUCTURED_REPLY, NONE);
        return client;
    }

    private NbdClient open(String... contexts) throws IOException {
        NbdClient client = structured();
        assertThat(names(client, NbdOption.SET_META_CONTEXT, "disk", contexts))
                .containsExactly(contexts);
        client.go("disk");
        return client;
    }

    private static List<String> names(
            NbdClient client, int option, String export, String... queries) throws IOException {
        List<OptionReply> replies = client.ask(option, NbdClient.contexts(export, queries));
        assertThat(replies.get(replies.size() - 1).type()).isEqualTo(NbdOption.REP_ACK);
        List<String> names = new ArrayList<>();
        for (OptionReply reply : replies.subList(0, replies.size() - 1)) {
            String name = reply.text().substring(Integer.BYTES);
            int id = name.equals(BASE) ? 1 : 2;
            boolean isList = option == NbdOption.LIST_META_CONTEXT;
            assertThat(reply.buffer().getInt()).isEqualTo(isList ? 0 : id);
            names.add(name);
        }
        return names;
    }

    private static List<Reply> status(NbdClient client, int flags, long offset, long length)
            throws IOException {
        client.request(RequestLayout.BLOCK_STATUS, flags, 7, offset, length);
        return client.readChunks();
    }

    /** Id, then lengths and statuses. */
    private static List<Integer> values(Reply chunk) {
        assertThat(chunk.type()).isEqualTo(ReplyLayout.TYPE_BLOCK_STATUS);
        List<Integer> values = new ArrayList<>();
        ByteBuffer payload = chunk.buffer();
        while (payload.hasRemaining()) {
            values.add(payload.getInt());
        }
        return values;
    }

    @Test
    void shouldListTheBitmapByItsNameAndByEachNamespace() throws Exception {
        bitmapOf(1);
        int list = NbdOption.LIST_META_CONTEXT;
        try (NbdClient client = structured()) {
            assertThat(names(client, list, "disk")).containsExactly(BASE, CHANGED);
            assertThat(names(client, list, "disk", "base:")).containsExactly(BASE);
            assertThat(names(client, list, "disk", "qemu:")).containsExactly(CHANGED);
            assertThat(names(client, list, "disk", "qemu:dirty-bitmap:")).containsExactly(CHANGED);
            assertThat(names(client, list, "disk", CHANGED, "qemu:")).containsExactly(CHANGED);
            assertThat(names(client, list, "disk", "qemu:dirty-bitmap:chang", "qemu:d", ""))
                    .isEmpty();
            assertThat(names(client, list, "disk", "qemu:allocation-depth")).isEmpty();
            assertThat(names(client, list, "other", "qemu:", CHANGED)).isEmpty();
        }
    }

    @Test
    void shouldSelectTheBitmapByItsNameAlone() throws Exception {
        bitmapOf(1);
        int set = NbdOption.SET_META_CONTEXT;
        try (NbdClient client = structured()) {
            assertThat(names(client, set, "disk", "qemu:", "qemu:dirty-bitmap:", "base:"))
                    .isEmpty();
            assertThat(names(client, set, "other", CHANGED)).isEmpty();
            assertThat(client.ask(set, NbdClient.contexts("disk", CHANGED, CHANGED))).hasSize(2);
            client.go("disk");
            assertThat(values(status(client, 0, BLOCK, 4 * BLOCK).get(0)))
                    .containsExactly(2, BLOCK, 1);
        }
    }

    @Test
    void shouldEndAllContextsOfAReplyAtTheSameOffset() throws Exception {
        bitmapOf(3);
        try (NbdClient client = open(BASE, CHANGED)) {
            assertThat(client.runWrite(0, 0, new byte[BLOCK])).isZero();
            List<Reply> chunks = status(client, 0, 512, 1 << 20);
            assertThat(chunks).hasSize(2);
            assertThat(values(chunks.get(0)))
                    .as("holes are told as zeros alone")
                    .containsExactly(1, BLOCK - 512, 0, 2 * BLOCK, 2);
            assertThat(values(chunks.get(1)))
                    .containsExactly(2, BLOCK - 512, 0, BLOCK, 1, BLOCK, 0);
            chunks = status(client, 0, 1000, 2000);
            assertThat(values(chunks.get(0))).containsExactly(1, 2000, 0);
            assertThat(values(chunks.get(1))).containsExactly(2, 2000, 0);
        }
    }

    @Test
    void shouldCutTheBitmapWhereTheAllocationIsNotKnownFurther() throws Exception {
        bitmapOf(Integer.MAX_VALUE);
        try (NbdClient client = open(BASE, CHANGED)) {
            assertThat(client.runWrite(0, 0, new byte[BLOCK + BLOCK / 2])).isZero();
            List<Reply> chunks = status(client, RequestLayout.FLAG_REQ_ONE, 0, 1 << 20);
            assertThat(values(chunks.get(0))).containsExactly(1, BLOCK, 0);
            assertThat(values(chunks.get(1))).containsExactly(2, BLOCK, 0);
        }
    }

    @Test
    void shouldFailWhenTheBitmapCannotBeRead() throws Exception {
        server.catalogue.bitmaps.put(
                "disk", (offset, length, target, ended) -> ended.accept(BlockError.EIO));
        try (NbdClient client = open(BASE, CHANGED)) {
            List<Reply> chunks = status(client, 0, 0, BLOCK);
            assertThat(chunks).hasSize(1);
            assertThat(chunks.get(0).error()).isEqualTo(BlockError.EIO.nbdErrno());
            assertThat(client.read(0, 0, BLOCK)).containsOnly(0);
        }
    }

    @Test
    void shouldServeOthersWhileBitmapsAreWaitedFor() throws Exception {
        server.catalogue.bitmaps.put(
                "disk",
                (offset, length, target, ended) -> {
                    target.add(length, 1);
                    waiting.add(ended);
                });
        int requests = 20;
        try (NbdClient client = open(BASE, CHANGED);
                NbdClient neighbour = server.open(true)) {
            for (int i = 0; i < requests; i++) {
                client.request(RequestLayout.BLOCK_STATUS, 0, i, 0, BLOCK);
            }
            assertThat(neighbour.runWrite(0, 0, new byte[] {5})).isZero();
            for (int i = 0; i < requests; i++) {
                Consumer<BlockError> ended = waiting.take();
                assertThat(waiting.size()).isLessThan(4);
                server.loops.loops().get(1).execute(() -> ended.accept(BlockError.OK));
                List<Reply> chunks = client.readChunks();
                assertThat(chunks).hasSize(2);
                assertThat(chunks.get(0).cookie()).isEqualTo(i);
                assertThat(values(chunks.get(1))).containsExactly(2, BLOCK, 1);
            }
        }
    }

    @Test
    void shouldLetTheExportGoWhenTheClientLeavesAndTheBitmapIsTold() throws Exception {
        server.catalogue.bitmaps.put(
                "disk",
                (offset, length, target, ended) -> {
                    target.add(length, 0);
                    waiting.add(ended);
                });
        Consumer<BlockError> ended;
        try (NbdClient client = open(CHANGED)) {
            client.request(RequestLayout.BLOCK_STATUS, 0, 1, 0, BLOCK);
            ended = waiting.take();
        }
        assertThat(server.catalogue.users).hasValue(1);
        server.loops.loops().get(1).execute(() -> ended.accept(BlockError.OK));
        TestServer.await(() -> server.catalogue.users.get() == 0);
    }
}
