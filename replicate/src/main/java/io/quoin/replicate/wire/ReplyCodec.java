package io.quoin.replicate.wire;

import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.wire.message.Fenced;
import io.quoin.replicate.wire.message.FileReply;
import io.quoin.replicate.wire.message.Nothing;
import io.quoin.replicate.wire.message.Promised;
import java.util.UUID;

/**
 * Replies on the wire.
 *
 * <p>Threading: immutable.
 */
final class ReplyCodec {
    private static final Nothing NOTHING = Nothing.getDefaultInstance();

    private ReplyCodec() {}

    static FileReply.Builder toMessage(UUID file, Reply reply) {
        FileReply.Builder message =
                FileReply.newBuilder()
                        .setFile(UuidCodec.toMessage(file))
                        .setBrick(reply.brick())
                        .setSession(reply.session())
                        .setId(reply.id());
        setResult(message, reply.result());
        return message;
    }

    private static void setResult(FileReply.Builder message, Reply.Result result) {
        if (result instanceof Reply.Done) {
            message.setDone(NOTHING);
        } else if (result instanceof Reply.Data) {
            message.setData(NOTHING);
        } else if (result instanceof Reply.Promised promised) {
            message.setPromised(
                    Promised.newBuilder()
                            .setConfig(ConfigCodec.toMessage(promised.config()))
                            .setCacheEpoch(promised.cacheEpoch())
                            .setActive(RegionCodec.toMessage(promised.active()))
                            .setSizeBytes(promised.sizeBytes()));
        } else if (result instanceof Reply.Maps maps) {
            message.setMaps(ConfigCodec.toMessage(maps.dirty()));
        } else if (result instanceof Reply.Fenced fenced) {
            message.setFenced(Fenced.newBuilder().setPromised(fenced.promised()));
        } else if (result instanceof Reply.NoSession) {
            message.setNoSession(NOTHING);
        } else if (result instanceof Reply.NoSpace) {
            message.setNoSpace(NOTHING);
        } else if (result instanceof Reply.Corrupt) {
            message.setCorrupt(NOTHING);
        } else {
            throw new IllegalArgumentException("not on the wire: result=" + result);
        }
    }

    /** What was read; empty if the reply has no data. */
    static Payload payload(Reply reply) {
        return reply.result() instanceof Reply.Data data ? data.data() : Payload.EMPTY;
    }

    static Reply fromMessage(FileReply message, Payload payload) {
        return new Reply(
                ConfigCodec.brick(message.getBrick()),
                message.getSession(),
                message.getId(),
                result(message, payload));
    }

    private static Reply.Result result(FileReply message, Payload payload) {
        return switch (message.getResultCase()) {
            case PROMISED -> promised(message.getPromised());
            case DONE -> new Reply.Done();
            case DATA -> new Reply.Data(payload);
            case MAPS -> new Reply.Maps(ConfigCodec.fromMessage(message.getMaps()));
            case FENCED -> new Reply.Fenced(message.getFenced().getPromised());
            case NO_SESSION -> new Reply.NoSession();
            case NO_SPACE -> new Reply.NoSpace();
            case CORRUPT -> new Reply.Corrupt();
            case RESULT_NOT_SET -> throw new WireException("illegal reply: no result known here");
        };
    }

    private static Reply.Promised promised(Promised message) {
        return new Reply.Promised(
                ConfigCodec.fromMessage(message.getConfig()),
                message.getCacheEpoch(),
                RegionCodec.fromMessage(message.getActive()),
                message.getSizeBytes());
    }
}
