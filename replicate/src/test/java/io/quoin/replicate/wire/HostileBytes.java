package io.quoin.replicate.wire;

import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Header;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Frames that a hostile or broken peer could send. */
final class HostileBytes {
    private HostileBytes() {}

    /** Noise, or a frame of which something was changed, with right CRCs or without. */
    static byte[] frame(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> noise(random, 200);
            case 1 -> Frames.of(noise(random, 100), noise(random, 20));
            case 2 -> Frames.of(changed(random, header(random)), new byte[0]);
            default -> changed(random, Frames.of(header(random), noise(random, 20)));
        };
    }

    private static byte[] noise(Random random, int bytesMax) {
        byte[] bytes = new byte[random.nextInt(bytesMax)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] header(Random random) {
        Samples samples = new Samples(random.nextLong());
        UUID file = new UUID(0, random.nextInt(3));
        if (random.nextBoolean()) {
            List<Request.Operation> operations = samples.operations();
            Request request =
                    new Request(1, 1, 1, 1, operations.get(random.nextInt(operations.size())));
            return Header.newBuilder()
                    .setRequest(RequestCodec.toMessage(file, request))
                    .build()
                    .toByteArray();
        }
        List<Reply.Result> results = samples.results();
        Reply reply = new Reply(1, 1, 1, results.get(random.nextInt(results.size())));
        return Header.newBuilder()
                .setReply(ReplyCodec.toMessage(file, reply))
                .build()
                .toByteArray();
    }

    private static byte[] changed(Random random, byte[] bytes) {
        byte[] changed = bytes.clone();
        for (int i = random.nextInt(4); i > 0 && changed.length > 0; i--) {
            changed[random.nextInt(changed.length)] = (byte) random.nextInt();
        }
        return changed;
    }

    /** What either end does with a frame. */
    static void decode(Frame frame) {
        Header header = frame.header();
        if (header.hasRequest()) {
            RequestCodec.fromMessage(header.getRequest(), frame.payload());
        } else if (header.hasReply()) {
            ReplyCodec.fromMessage(header.getReply(), frame.payload());
        }
    }
}
