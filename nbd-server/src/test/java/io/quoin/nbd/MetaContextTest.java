package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Metadata contexts: how they are listed and selected, and BLOCK_STATUS. */
@Timeout(60)
final class MetaContextTest {
    private static final byte[] NONE = {};
    private static final String BASE = "base:allocation";

    private final TestServer server = new TestServer();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private NbdClient structured() throws Exception {
        NbdClient client = NbdClient.greeted(server.unix());
        client.expectAck(NbdOption.STRUCTURED_REPLY, NONE);
        return client;
    }

    private static int contextsOf(NbdClient client, int option, String name, String... queries)
            throws Exception {
        var replies = client.ask(option, NbdClient.contexts(name, queries));
        var last = replies.get(replies.size() - 1);
        assertThat(last.type()).as(last.text()).isEqualTo(NbdOption.REP_ACK);
        return replies.size() - 1;
    }

    @Test
    void shouldReplyInvalidWhenSelectedBeforeStructuredReplies() throws Exception {
        try (NbdClient client = NbdClient.greeted(server.unix())) {
            assertThat(client.result(NbdOption.SET_META_CONTEXT, NbdClient.contexts("disk", BASE)))
                    .isEqualTo(NbdOption.REP_ERR_INVALID);
        }
    }

    @Test
    void shouldReplyUnknownWhenExportIsUnknown() throws Exception {
        try (NbdClient client = structured()) {
            for (int option : new int[] {NbdOption.SET_META_CONTEXT, NbdOption.LIST_META_CONTEXT}) {
                assertThat(client.result(option, NbdClient.contexts("nothing", BASE)))
                        .isEqualTo(NbdOption.REP_ERR_UNKNOWN);
            }
        }
    }

    @Test
    void shouldReplyInvalidWhenInnerLengthsDoNotFit() throws Exception {
        byte[] good = NbdClient.contexts("disk", BASE);
        byte[] tooMany = good.clone();
        tooMany[11] = 2;
        byte[] hugeCount = good.clone();
        Arrays.fill(hugeCount, 8, 12, (byte) -1);
        byte[] hugeQuery = good.clone();
        Arrays.fill(hugeQuery, 12, 16, (byte) -1);
        byte[] trailing = Arrays.copyOf(good, good.length + 1);
        byte[] longQuery = NbdClient.contexts("disk", "base:" + "x".repeat(5000));
        try (NbdClient client = structured()) {
            for (byte[] data :
                    new byte[][] {tooMany, hugeCount, hugeQuery, trailing, longQuery, NONE}) {
                assertThat(client.result(NbdOption.SET_META_CONTEXT, data))
                        .isEqualTo(NbdOption.REP_ERR_INVALID);
            }
            assertThat(contextsOf(client, NbdOption.SET_META_CONTEXT, "disk", BASE)).isOne();
        }
    }

    @Test
    void shouldListContextsWhenQueried() throws Exception {
        try (NbdClient client = structured()) {
            int list = NbdOption.LIST_META_CONTEXT;
            assertThat(contextsOf(client, list, "disk")).isOne();
            assertThat(contextsOf(client, list, "disk", "base:")).isOne();
            assertThat(contextsOf(client, list, "disk", BASE)).isOne();
            assertThat(contextsOf(client, list, "disk", "qemu:")).isZero();
            assertThat(contextsOf(client, list, "disk", "nothing", "base:other")).isZero();
            ByteBuffer reply = client.ask(list, NbdClient.contexts("disk")).get(0).buffer();
            assertThat(reply.getInt()).isZero();
        }
    }

    @Test
    void shouldSelectNothingWhenQueryIsNoContext() throws Exception {
        try (NbdClient client = structured()) {
            int set = NbdOption.SET_META_CONTEXT;
            assertThat(contextsOf(client, set, "disk")).isZero();
            assertThat(contextsOf(client, set, "disk", "base:", "qemu:", "x:y", "z")).isZero();
            client.go("disk");
            client.request(RequestLayout.BLOCK_STATUS, 0, 1, 0, 4096);
            assertThat(client.readReply(0).error()).isEqualTo(22);
        }
    }

    @Test
    void shouldSelectOnceWhenQueryIsRepeated() throws Exception {
        try (NbdClient client = structured()) {
            assertThat(contextsOf(client, NbdOption.SET_META_CONTEXT, "disk", BASE, BASE)).isOne();
        }
    }

    @Test
    void shouldForgetSelectionWhenLaterOneFailsOrNamesAnotherExport() throws Exception {
        try (NbdClient client = structured()) {
            assertThat(contextsOf(client, NbdOption.SET_META_CONTEXT, "disk", BASE)).isOne();
            client.result(NbdOption.SET_META_CONTEXT, NbdClient.contexts("nothing", BASE));
            client.go("disk");
            client.request(RequestLayout.BLOCK_STATUS, 0, 1, 0, 4096);
            assertThat(client.readReply(0).error()).isEqualTo(22);
        }
        try (NbdClient client = structured()) {
            assertThat(contextsOf(client, NbdOption.SET_META_CONTEXT, "disk", BASE)).isOne();
            client.go("other");
            client.request(RequestLayout.BLOCK_STATUS, 0, 1, 0, 4096);
            assertThat(client.readReply(0).error()).isEqualTo(22);
        }
    }

    @Test
    void shouldDescribeRangeOnceWhenStatusIsAsked() throws Exception {
        try (NbdClient client = server.open(true)) {
            assertThat(client.runWrite(0, 8192, new byte[4096])).isZero();
            client.request(RequestLayout.BLOCK_STATUS, 0, 7, 4096, 1 << 20);
            var chunks = client.readChunks();
            assertThat(chunks).hasSize(1);
            assertThat(chunks.get(0).type()).isEqualTo(ReplyLayout.TYPE_BLOCK_STATUS);
            assertThat(chunks.get(0).cookie()).isEqualTo(7);
            ByteBuffer payload = chunks.get(0).buffer();
            int[] expected = {1, 4096, 3, 4096, 0, (1 << 20) - 8192, 3};
            for (int value : expected) {
                assertThat(payload.getInt()).isEqualTo(value);
            }
            assertThat(payload.hasRemaining()).isFalse();
        }
    }

    @Test
    void shouldDescribeOneExtentWhenReqOneIsSet() throws Exception {
        try (NbdClient client = server.open(true)) {
            client.request(RequestLayout.BLOCK_STATUS, RequestLayout.FLAG_REQ_ONE, 7, 100, 5000);
            ByteBuffer payload = client.readReply(0).buffer();
            assertThat(payload.remaining()).isEqualTo(12);
            payload.getInt();
            assertThat(payload.getInt()).isEqualTo(5000);
        }
    }

    @Test
    void shouldRefuseStatusWhenRangeIsEmptyOrOutside() throws Exception {
        try (NbdClient client = server.open(true)) {
            long[][] ranges = {
                {0, 0}, {TestServer.DISK_BYTES, 1}, {-1, 1}, {0, TestServer.DISK_BYTES + 1L}
            };
            for (long[] range : ranges) {
                client.request(RequestLayout.BLOCK_STATUS, 0, 1, range[0], range[1]);
                assertThat(client.readReply(0).error()).isEqualTo(22);
            }
        }
    }

    @Test
    void shouldRefuseStatusWhenRepliesAreSimple() throws Exception {
        try (NbdClient client = server.open(false)) {
            assertThat(client.run(RequestLayout.BLOCK_STATUS, 0, 0, 4096)).isEqualTo(22);
        }
    }

    @Test
    void shouldBoundAnswerWhenDiskIsFragmented() throws Exception {
        try (NbdClient client = NbdClient.open(server.unix(), "disk", true)) {
            for (int block = 0; block < TestServer.DISK_BYTES / 4096; block += 2) {
                assertThat(client.runWrite(0, block * 4096L, new byte[1])).isZero();
            }
            client.request(RequestLayout.BLOCK_STATUS, 0, 1, 0, TestServer.DISK_BYTES);
            ByteBuffer payload = client.readReply(0).buffer();
            payload.getInt();
            long covered = 0;
            int last = -1;
            while (payload.hasRemaining()) {
                covered += payload.getInt();
                int status = payload.getInt();
                assertThat(status).isNotEqualTo(last);
                last = status;
            }
            assertThat(covered).isBetween(1L, (long) TestServer.DISK_BYTES);
        }
    }
}
