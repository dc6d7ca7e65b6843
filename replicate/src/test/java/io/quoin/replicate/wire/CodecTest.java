package io.quoin.replicate.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.ClientHello;
import io.quoin.replicate.wire.message.FileReply;
import io.quoin.replicate.wire.message.FileRequest;
import io.quoin.replicate.wire.message.Regions;
import io.quoin.replicate.wire.message.ServerHello;
import java.util.BitSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CodecTest {
    private static final UUID FILE = UUID.randomUUID();
    private static final UUID VOLUME = UUID.randomUUID();
    private static final UUID BRICK = UUID.randomUUID();

    @Test
    void shouldKeepEachRequestWhenEncoded() throws Exception {
        for (long seed = 0; seed < 200; seed++) {
            for (Request.Operation operation : new Samples(seed).operations()) {
                Request request = new Request(-seed, seed, seed << 40, Long.MAX_VALUE, operation);
                byte[] bytes = RequestCodec.toMessage(FILE, request).build().toByteArray();
                FileRequest message = FileRequest.parseFrom(bytes);
                Request decoded = RequestCodec.fromMessage(message, RequestCodec.payload(request));
                assertThat(decoded).isEqualTo(request);
                assertThat(UuidCodec.fromMessage(message.getFile())).isEqualTo(FILE);
            }
        }
    }

    @Test
    void shouldKeepEachReplyWhenEncoded() throws Exception {
        for (long seed = 0; seed < 200; seed++) {
            for (Reply.Result result : new Samples(seed).results()) {
                Reply reply = new Reply((int) (seed % 3), seed << 50, -seed, result);
                byte[] bytes = ReplyCodec.toMessage(FILE, reply).build().toByteArray();
                Reply decoded =
                        ReplyCodec.fromMessage(
                                FileReply.parseFrom(bytes), ReplyCodec.payload(reply));
                assertThat(decoded).isEqualTo(reply);
            }
        }
    }

    @Test
    void shouldKeepRegionsWhenEncodedInTheShorterForm() {
        BitSet all = new BitSet();
        all.set(0, RegionCodec.REGIONS_MAX);
        BitSet alternate = new BitSet();
        for (int i = 0; i < 100_000; i += 2) {
            alternate.set(i);
        }
        assertThat(RegionCodec.toMessage(all).getRuns().size()).isLessThan(10);
        assertThat(RegionCodec.toMessage(alternate).getBits().size()).isEqualTo(12_500);
        for (BitSet regions : new BitSet[] {new BitSet(), all, alternate}) {
            assertThat(RegionCodec.fromMessage(RegionCodec.toMessage(regions))).isEqualTo(regions);
        }
    }

    @Test
    void shouldRefuseRegionsWhenTheyWouldTakeTooMuchMemory() {
        // One region beyond the last, after none that are in the set.
        byte[] beyond = {(byte) 0x80, (byte) 0x80, (byte) 0x80, 0x20, 1};
        byte[] cut = {(byte) 0x80};
        byte[] wrapping = {-1, -1, -1, -1, 0x0f, -1, -1, -1, -1, 0x0f};
        for (byte[] runs : new byte[][] {beyond, cut, wrapping}) {
            Regions regions = Regions.newBuilder().setRuns(ByteString.copyFrom(runs)).build();
            assertThatThrownBy(() -> RegionCodec.fromMessage(regions))
                    .isInstanceOf(WireException.class)
                    .hasMessageContaining("illegal regions");
        }
        ByteString bits = ByteString.copyFrom(new byte[RegionCodec.REGIONS_MAX / 8 + 1]);
        assertThatThrownBy(
                        () -> RegionCodec.fromMessage(Regions.newBuilder().setBits(bits).build()))
                .isInstanceOf(WireException.class);
        BitSet many = new BitSet();
        many.set(RegionCodec.REGIONS_MAX);
        assertThatThrownBy(() -> RegionCodec.toMessage(many)).hasMessageContaining("too many");
    }

    @Test
    void shouldRefuseRangesWhenTheyAreIllegal() {
        byte[] none = {};
        FileRequest.Builder request = FileRequest.newBuilder();
        request.getReadBuilder().setLengthBytes(FrameLayout.PAYLOAD_BYTES_MAX + 1);
        assertIllegal(request, none);
        request.getReadBuilder().setLengthBytes(-1);
        assertIllegal(request, none);
        request.getReadBuilder().setLengthBytes(1).setOffsetBytes(-1);
        assertIllegal(request, none);
        request.getReadBuilder().setLengthBytes(1).setOffsetBytes(Long.MAX_VALUE);
        assertIllegal(request, none);
        request.getWriteBuilder().setOffsetBytes(0);
        assertIllegal(request, none);
        request.getWriteZeroesBuilder().setLengthBytes(0);
        assertIllegal(request, none);
        request.getResizeBuilder().setSizeBytes(-1);
        assertIllegal(request, none);
        request.getMapMergeBuilder().addDirtyBuilder().setBrick(4);
        assertIllegal(request, none);
        request.clearOperation();
        assertIllegal(request, none);
    }

    private static void assertIllegal(FileRequest.Builder request, byte[] payload) {
        assertThatThrownBy(() -> RequestCodec.fromMessage(request.build(), Payload.of(payload)))
                .isInstanceOf(WireException.class)
                .hasMessageStartingWith("illegal");
    }

    @Test
    void shouldTolerateFieldsWhenTheyAreUnknown() throws Exception {
        Request request = new Request(1, 2, 3, 4, new Request.Read(4096, 512));
        FileRequest.Builder message = RequestCodec.toMessage(FILE, request);
        UnknownFieldSet unknown =
                UnknownFieldSet.newBuilder()
                        .addField(
                                1000,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFromUtf8("of later"))
                                        .build())
                        .build();
        message.setUnknownFields(unknown).getReadBuilder().setUnknownFields(unknown);
        FileRequest decoded = FileRequest.parseFrom(message.build().toByteArray());
        assertThat(RequestCodec.fromMessage(decoded, Payload.EMPTY)).isEqualTo(request);
    }

    @Test
    void shouldAcceptAHelloWhenTheBrickIsTheRightOne() {
        for (Layout layout : Layout.values()) {
            BrickIdentity identity = new BrickIdentity(VOLUME, BRICK, 2, layout, 7, 9, -11);
            ClientHello hello = IdentityCodec.hello(VOLUME, 2);
            assertThat(IdentityCodec.refusal(hello, identity)).isNull();
            ServerHello answer = IdentityCodec.answer(hello.getVersionMax(), identity);
            assertThat(IdentityCodec.identity(answer, VOLUME, 2)).isEqualTo(identity);
        }
    }

    @Test
    void shouldRefuseAHelloWhenBrickOrVersionIsAnother() {
        BrickIdentity identity = new BrickIdentity(VOLUME, BRICK, 2, Layout.THREE, 7, 9, 11);
        assertThat(IdentityCodec.refusal(IdentityCodec.hello(BRICK, 2), identity))
                .contains("another volume", VOLUME.toString(), BRICK.toString());
        assertThat(IdentityCodec.refusal(IdentityCodec.hello(VOLUME, 1), identity))
                .contains("another index: expected=1, actual=2");
        ClientHello.Builder later = IdentityCodec.hello(VOLUME, 2).toBuilder();
        assertThat(IdentityCodec.refusal(later.setVersionMin(2).setVersionMax(3).build(), identity))
                .isEqualTo("no common protocol version: brick=1-1, client=2-3");
        assertThat(IdentityCodec.refusal(later.setVersionMin(0).setVersionMax(0).build(), identity))
                .contains("no common protocol version");
        ServerHello answer = IdentityCodec.answer(1, identity);
        assertThatThrownBy(() -> IdentityCodec.identity(answer, BRICK, 2))
                .hasMessageContaining("another volume");
        assertThatThrownBy(() -> IdentityCodec.identity(answer, VOLUME, 0))
                .hasMessageContaining("another index");
        assertThatThrownBy(
                        () ->
                                IdentityCodec.identity(
                                        answer.toBuilder().setVersion(2).build(), VOLUME, 2))
                .hasMessageContaining("unknown protocol version");
        assertThatThrownBy(
                        () ->
                                IdentityCodec.identity(
                                        answer.toBuilder().setLayoutValue(77).build(), VOLUME, 2))
                .hasMessageContaining("unknown layout");
    }

    @Test
    void shouldRefuseToSendWhenARequestIsTooLarge() {
        Payload large = Payload.of(new byte[FrameLayout.PAYLOAD_BYTES_MAX + 1]);
        Request write = new Request(1, 1, 1, 1, new Request.Write(0, large, false));
        Request read =
                new Request(1, 1, 1, 1, new Request.Read(0, FrameLayout.PAYLOAD_BYTES_MAX + 1));
        assertThatThrownBy(() -> RequestCodec.check(write)).hasMessageContaining("too much");
        assertThatThrownBy(() -> RequestCodec.check(read)).hasMessageContaining("too much");
    }
}
