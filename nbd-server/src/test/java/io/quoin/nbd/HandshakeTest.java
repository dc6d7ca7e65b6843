package io.quoin.nbd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ring.RingOptions;
import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The greeting and the options of fixed newstyle, byte by byte. */
@Timeout(60)
final class HandshakeTest {
    private static final int BOTH = Handshake.FLAG_FIXED_NEWSTYLE | Handshake.FLAG_NO_ZEROES;
    private static final byte[] NONE = {};

    private final TestServer server = new TestServer();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private NbdClient greeted() throws IOException {
        return NbdClient.greeted(server.unix());
    }

    /** The connection still answers the next option correctly. */
    private static void assertUsable(NbdClient client) throws IOException {
        assertThat(client.result(NbdOption.INFO, NbdClient.info("disk")))
                .isEqualTo(NbdOption.REP_ACK);
    }

    @Test
    void shouldSendFixedNewstyleAndNoZeroesWhenClientConnects() throws Exception {
        try (NbdClient client = NbdClient.connect(server.tcp())) {
            assertThat(client.readGreeting()).isEqualTo(BOTH);
        }
    }

    @Test
    void shouldServeOthersWhenClientClosesAfterGreeting() throws Exception {
        NbdClient.connect(server.unix()).close();
        try (NbdClient client = greeted()) {
            assertUsable(client);
        }
    }

    @Test
    void shouldCloseWhenClientFlagsAreUnknown() throws Exception {
        for (int flags : new int[] {4, 7, 1 << 31, -1}) {
            try (NbdClient client = NbdClient.connect(server.unix())) {
                client.readGreeting();
                client.clientFlags(flags);
                assertThat(client.isClosedSilently()).isTrue();
            }
        }
    }

    @Test
    void shouldServeExportNameWhenClientIsNotFixedNewstyle() throws Exception {
        try (NbdClient client = NbdClient.connect(server.unix())) {
            client.readGreeting();
            client.clientFlags(0);
            client.option(NbdOption.EXPORT_NAME, "disk".getBytes(UTF_8));
            assertThat(client.in.readLong()).isEqualTo(TestServer.DISK_BYTES);
            client.in.readShort();
            byte[] zeroes = new byte[Handshake.EXPORT_NAME_PADDING_BYTES];
            client.in.readFully(zeroes);
            assertThat(zeroes).containsOnly(0);
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldOmitPaddingWhenNoZeroesAgreed() throws Exception {
        try (NbdClient client = greeted()) {
            client.option(NbdOption.EXPORT_NAME, "disk".getBytes(UTF_8));
            assertThat(client.in.readLong()).isEqualTo(TestServer.DISK_BYTES);
            client.in.readShort();
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldCloseWithoutByteWhenExportNameIsUnknown() throws Exception {
        for (String name : new String[] {"", "nothing", "../disk", "/", "%s", "x".repeat(5000)}) {
            try (NbdClient client = greeted()) {
                client.option(NbdOption.EXPORT_NAME, name.getBytes(UTF_8));
                assertThat(client.isClosedSilently()).as(name).isTrue();
            }
        }
    }

    @Test
    void shouldServeDefaultExportWhenNameIsEmpty() throws Exception {
        server.catalogue.defaultName = "other";
        try (NbdClient client = NbdClient.open(server.unix(), "", false)) {
            assertThat(client.runWrite(0, 0, new byte[] {1})).isZero();
        }
        assertThat(server.other.content(0, 1)).containsExactly(1);
    }

    @Test
    void shouldNotOpenDiskWhenClientOnlyConnectsAndLists() throws Exception {
        try (NbdClient client = greeted()) {
            client.expectAck(NbdOption.LIST, NONE);
            client.expectAck(NbdOption.STRUCTURED_REPLY, NONE);
        }
        assertThat(server.catalogue.opens).hasValue(0);
    }

    @Test
    void shouldCloseWhenOptionMagicIsWrong() throws Exception {
        try (NbdClient client = greeted()) {
            client.send(new byte[16]);
            assertThat(client.isClosedSilently()).isTrue();
        }
    }

    @Test
    void shouldStayUsableWhenOptionIsUnknown() throws Exception {
        try (NbdClient client = greeted()) {
            for (int option : new int[] {4, 0, 77, -1}) {
                for (int length : new int[] {0, 5, 70_000, 3 << 20}) {
                    assertThat(client.result(option, new byte[length]))
                            .isEqualTo(NbdOption.REP_ERR_UNSUP);
                }
            }
            assertUsable(client);
        }
    }

    @Test
    void shouldAnswerTheSameWhenOptionsArriveByteByByte() throws Exception {
        try (NbdClient client = NbdClient.connect(server.tcp())) {
            client.readGreeting();
            sendSlowly(client, ByteBuffer.allocate(4).putInt(BOTH).array());
            sendSlowly(client, NbdClient.optionBytes(77, new byte[9]));
            assertThat(client.readOptionReply().type()).isEqualTo(NbdOption.REP_ERR_UNSUP);
            sendSlowly(client, NbdClient.optionBytes(NbdOption.GO, NbdClient.info("disk", 3)));
            while (client.readOptionReply().type() != NbdOption.REP_ACK) {
                // Information.
            }
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    private static void sendSlowly(NbdClient client, byte[] bytes) throws IOException {
        client.socket.setOption(StandardSocketOptions.SO_SNDBUF, 4096);
        for (byte one : bytes) {
            client.send(new byte[] {one});
        }
    }

    @Test
    void shouldNotBufferOptionWhenItIsHuge() throws Exception {
        try (NbdClient client = greeted()) {
            client.send(header(NbdOption.GO, -1));
            assertThat(client.isClosedSilently()).isTrue();
        }
        try (NbdClient client = greeted()) {
            assertThat(client.result(NbdOption.INFO, new byte[4 << 20]))
                    .isEqualTo(NbdOption.REP_ERR_TOO_BIG);
            assertUsable(client);
        }
    }

    private static byte[] header(int option, int length) {
        return ByteBuffer.allocate(16)
                .putLong(Handshake.IHAVEOPT)
                .putInt(option)
                .putInt(length)
                .array();
    }

    @Test
    void shouldReplyInvalidWhenOptionThatTakesNoneHasData() throws Exception {
        int[] options = {
            NbdOption.LIST,
            NbdOption.STARTTLS,
            NbdOption.STRUCTURED_REPLY,
            NbdOption.EXTENDED_HEADERS
        };
        try (NbdClient client = greeted()) {
            for (int option : options) {
                assertThat(client.result(option, new byte[3])).isEqualTo(NbdOption.REP_ERR_INVALID);
            }
            assertUsable(client);
        }
    }

    @Test
    void shouldReplyUnsupportedWhenTlsOrExtendedHeadersAreAsked() throws Exception {
        try (NbdClient client = greeted()) {
            assertThat(client.result(NbdOption.STARTTLS, NONE)).isEqualTo(NbdOption.REP_ERR_UNSUP);
            assertThat(client.result(NbdOption.EXTENDED_HEADERS, NONE))
                    .isEqualTo(NbdOption.REP_ERR_UNSUP);
            assertUsable(client);
        }
    }

    @Test
    void shouldCutErrorTextWhenNameIsLong() throws Exception {
        try (NbdClient client = greeted()) {
            String name = "ö".repeat(2048);
            var replies = client.ask(NbdOption.INFO, NbdClient.info(name));
            assertThat(replies).hasSize(1);
            assertThat(replies.get(0).type()).isEqualTo(NbdOption.REP_ERR_UNKNOWN);
            assertThat(replies.get(0).data().length).isBetween(4000, 4096);
            assertThat(replies.get(0).text()).endsWith("ö");
            assertUsable(client);
        }
    }

    @Test
    void shouldReplyInvalidWhenNameIsTooLongOrNoText() throws Exception {
        byte[] bad = NbdClient.info("abc");
        bad[4] = (byte) 0xc3;
        byte[] nul = NbdClient.info("abc");
        nul[5] = 0;
        try (NbdClient client = greeted()) {
            for (byte[] data : new byte[][] {bad, nul, NbdClient.info("x".repeat(4097))}) {
                assertThat(client.result(NbdOption.INFO, data))
                        .isEqualTo(NbdOption.REP_ERR_INVALID);
            }
            assertUsable(client);
        }
    }

    @Test
    void shouldReplyInvalidWhenInnerLengthsDoNotFit() throws Exception {
        byte[] overrun = NbdClient.info("disk");
        Arrays.fill(overrun, 0, 4, (byte) -1);
        byte[] countTooLarge = NbdClient.info("disk");
        countTooLarge[9] = 1;
        byte[] trailing = Arrays.copyOf(NbdClient.info("disk"), 11);
        try (NbdClient client = greeted()) {
            for (byte[] data : new byte[][] {overrun, countTooLarge, trailing, NONE, new byte[5]}) {
                for (int option : new int[] {NbdOption.INFO, NbdOption.GO}) {
                    assertThat(client.result(option, data)).isEqualTo(NbdOption.REP_ERR_INVALID);
                }
            }
            assertUsable(client);
        }
    }

    @Test
    void shouldAcceptManyOptionsWhenTheyComeOneByOne() throws Exception {
        try (NbdClient client = greeted()) {
            for (int i = 0; i < 500; i++) {
                assertUsable(client);
            }
        }
        assertThat(server.catalogue.users).hasValue(0);
    }

    @Test
    void shouldAckThenCloseWhenAborted() throws Exception {
        for (int length : new int[] {0, 4}) {
            try (NbdClient client = greeted()) {
                client.option(NbdOption.ABORT, new byte[length]);
                assertThat(client.readOptionReply().type()).isEqualTo(NbdOption.REP_ACK);
                assertThat(client.isClosedSilently()).isTrue();
            }
        }
    }

    @Test
    void shouldNotCareWhenClientAbortsAndClosesWithoutReading() throws Exception {
        for (int i = 0; i < 20; i++) {
            NbdClient client = greeted();
            client.option(NbdOption.ABORT, NONE);
            client.close();
        }
        TestServer.await(() -> server.server.connections().isEmpty());
    }

    @Test
    void shouldListExportsWithDescriptions() throws Exception {
        try (NbdClient client = greeted()) {
            var replies = client.ask(NbdOption.LIST, NONE);
            assertThat(replies).hasSize(4);
            ByteBuffer first = replies.get(0).buffer();
            assertThat(first.getInt()).isEqualTo(4);
            assertThat(replies.get(0).text()).endsWith("diskfirst");
            assertThat(replies.get(3).type()).isEqualTo(NbdOption.REP_ACK);
        }
    }

    @Test
    void shouldListWithoutHugeBufferWhenThereAreManyExports() throws Exception {
        Loop loop = server.loops.loops().get(0);
        RingOptions small = new RingOptions(2, 1 << 20, 0, false, "blocking");
        for (int i = 0; i < 10_000; i++) {
            server.catalogue.add("d" + i, "x".repeat(50), false, server.other, loop, small);
        }
        try (NbdClient client = greeted()) {
            assertThat(client.ask(NbdOption.LIST, NONE)).hasSize(10_004);
            assertUsable(client);
        }
    }

    @Test
    void shouldReplyUnknownWhenExportIsUnknown() throws Exception {
        try (NbdClient client = greeted()) {
            for (String name : new String[] {"", "nothing", "../disk", "/disk", "%s%n", "DISK"}) {
                for (int option : new int[] {NbdOption.INFO, NbdOption.GO}) {
                    var replies = client.ask(option, NbdClient.info(name, 0, 1, 2, 3));
                    assertThat(replies).hasSize(1);
                    assertThat(replies.get(0).type()).isEqualTo(NbdOption.REP_ERR_UNKNOWN);
                }
            }
            client.go("disk");
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldGiveTheSameInformationWhenAskedTwice() throws Exception {
        try (NbdClient client = greeted()) {
            byte[] request = NbdClient.info("disk", 1, 2, 3, 3, 900, 0);
            var first = client.ask(NbdOption.INFO, request);
            var second = client.ask(NbdOption.INFO, request);
            assertThat(first).hasSize(5);
            for (int i = 0; i < first.size(); i++) {
                assertThat(first.get(i).data()).isEqualTo(second.get(i).data());
            }
            ByteBuffer export = first.get(0).buffer();
            assertThat(export.remaining()).isEqualTo(12);
            assertThat(export.getShort()).isZero();
            assertThat(export.getLong()).isEqualTo(TestServer.DISK_BYTES);
            assertThat(first.get(1).text()).endsWith("disk");
            assertThat(first.get(2).text()).endsWith("first");
            ByteBuffer sizes = first.get(3).buffer();
            assertThat(sizes.remaining()).isEqualTo(14);
            assertThat(sizes.getShort()).isEqualTo((short) NbdOption.INFO_BLOCK_SIZE);
            assertThat(sizes.getInt()).isEqualTo(1);
            assertThat(sizes.getInt()).isEqualTo(4096);
            assertThat(sizes.getInt()).isEqualTo(64 << 20);
        }
    }

    @Test
    void shouldReplyPolicyOrPlatformWhenOpeningFails() throws Exception {
        record Case(BlockError error, int type) {}
        Case[] cases = {
            new Case(BlockError.EBUSY, NbdOption.REP_ERR_POLICY),
            new Case(BlockError.EPERM, NbdOption.REP_ERR_POLICY),
            new Case(BlockError.ENOENT, NbdOption.REP_ERR_UNKNOWN),
            new Case(BlockError.EIO, NbdOption.REP_ERR_PLATFORM),
            new Case(BlockError.ESHUTDOWN, NbdOption.REP_ERR_SHUTDOWN)
        };
        try (NbdClient client = greeted()) {
            for (Case c : cases) {
                server.catalogue.failure = new BlockException(c.error(), "secret path /x");
                var replies = client.ask(NbdOption.GO, NbdClient.info("disk"));
                assertThat(replies).hasSize(1);
                assertThat(replies.get(0).type()).isEqualTo(c.type());
                assertThat(replies.get(0).text()).doesNotContain("secret");
            }
            server.catalogue.failure = null;
            client.go("disk");
        }
    }

    @Test
    void shouldDropClientWhenHandshakeTakesTooLong() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults()
                        .withTimeouts(
                                Duration.ofMillis(200),
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(5));
        try (TestServer hasty = new TestServer(options);
                NbdClient silent = NbdClient.connect(hasty.unix());
                NbdClient slow = NbdClient.greeted(hasty.tcp());
                NbdClient done = hasty.open(true)) {
            silent.readGreeting();
            slow.send(new byte[] {'I', 'H'});
            assertThat(silent.isClosedSilently()).isTrue();
            assertThat(slow.isClosedSilently()).isTrue();
            assertThat(done.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldRefuseConnectionWhenLimitIsReached() throws Exception {
        NbdServerOptions options = NbdServerOptions.defaults().withConnectionsMax(2, 2);
        try (TestServer small = new TestServer(options);
                NbdClient first = small.open(true);
                NbdClient second = NbdClient.greeted(small.unix())) {
            try (NbdClient third = NbdClient.connect(small.unix())) {
                assertThat(third.isClosedSilently()).isTrue();
            }
            assertUsable(second);
            first.socket.close();
            TestServer.await(() -> small.server.connections().size() == 1);
            try (NbdClient fourth = NbdClient.greeted(small.unix())) {
                assertUsable(fourth);
            }
        }
    }

    @Test
    void shouldLetGoOfExportWhenClientLeavesWhileItIsOpened() throws Exception {
        var gate = new CompletableFuture<Void>();
        server.catalogue.gate = gate;
        try (NbdClient client = greeted()) {
            client.option(NbdOption.GO, NbdClient.info("disk"));
            TestServer.await(() -> server.catalogue.users.get() == 1);
        }
        TestServer.await(() -> server.server.connections().isEmpty());
        gate.complete(null);
        TestServer.await(() -> server.catalogue.users.get() == 0);
    }
}
