package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Config;
import io.quoin.replicate.wire.message.Answer;
import io.quoin.replicate.wire.message.Call;
import io.quoin.replicate.wire.message.Failure;
import io.quoin.replicate.wire.message.Files;
import io.quoin.replicate.wire.message.Nothing;
import io.quoin.replicate.wire.message.Probe;
import io.quoin.replicate.wire.message.Space;
import io.quoin.xlator.NameText;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of the brick rather than of a file's state machine, and the answers, on the wire.
 *
 * <p>Threading: immutable.
 */
final class CallCodec {
    private static final int MESSAGE_CHARS_MAX = 1000;

    private CallCodec() {}

    /** Has the brick carry it out. */
    static CompletionStage<Answer.Builder> carryOut(Call call, ServedBrick brick) {
        return switch (call.getWhatCase()) {
            case DELETE ->
                    brick.delete(UuidCodec.fromMessage(call.getDelete()))
                            .thenApply(
                                    done ->
                                            Answer.newBuilder()
                                                    .setDeleted(Nothing.getDefaultInstance()));
            case LIST -> brick.list().thenApply(CallCodec::files);
            case SPACE -> brick.space().thenApply(CallCodec::space);
            case PROBE ->
                    brick.probe(UuidCodec.fromMessage(call.getProbe())).thenApply(CallCodec::probe);
            case WHAT_NOT_SET -> throw new WireException("illegal call: none known here");
        };
    }

    private static Answer.Builder files(List<UUID> files) {
        Files.Builder message = Files.newBuilder();
        files.forEach(file -> message.addFile(UuidCodec.toMessage(file)));
        return Answer.newBuilder().setFiles(message);
    }

    private static Answer.Builder space(BrickSpace space) {
        return Answer.newBuilder()
                .setSpace(
                        Space.newBuilder()
                                .setTotalBytes(space.totalBytes())
                                .setFreeBytes(space.freeBytes()));
    }

    private static Answer.Builder probe(BrickProbe probe) {
        return Answer.newBuilder()
                .setProbe(
                        Probe.newBuilder()
                                .setPromised(probe.promised())
                                .setAttended(probe.isAttended())
                                .setGateway(probe.gateway())
                                .setConfig(ConfigCodec.toMessage(probe.config()))
                                .setSizeBytes(probe.sizeBytes())
                                .setAllocatedBytes(probe.allocatedBytes()));
    }

    static Answer.Builder failure(Throwable cause) {
        String text = Reason.of(cause);
        return Answer.newBuilder()
                .setFailure(
                        Failure.newBuilder()
                                .setError(Reason.errorOf(cause).name())
                                .setMessage(
                                        text.substring(
                                                0, Math.min(text.length(), MESSAGE_CHARS_MAX))));
    }

    static Call.Builder delete(UUID file) {
        return Call.newBuilder().setDelete(UuidCodec.toMessage(file));
    }

    static Call.Builder list() {
        return Call.newBuilder().setList(Nothing.getDefaultInstance());
    }

    static Call.Builder space() {
        return Call.newBuilder().setSpace(Nothing.getDefaultInstance());
    }

    static Call.Builder probe(UUID file) {
        return Call.newBuilder().setProbe(UuidCodec.toMessage(file));
    }

    /** What was answered; throws what the brick has failed with. */
    static @Nullable Void deleted(Answer answer) {
        require(answer, Answer.WhatCase.DELETED);
        return null;
    }

    static List<UUID> filesOf(Answer answer) {
        require(answer, Answer.WhatCase.FILES);
        return answer.getFiles().getFileList().stream().map(UuidCodec::fromMessage).toList();
    }

    static BrickSpace spaceOf(Answer answer) {
        require(answer, Answer.WhatCase.SPACE);
        return new BrickSpace(answer.getSpace().getTotalBytes(), answer.getSpace().getFreeBytes());
    }

    static BrickProbe probeOf(Answer answer) {
        require(answer, Answer.WhatCase.PROBE);
        Probe probe = answer.getProbe();
        return new BrickProbe(
                probe.getPromised(),
                probe.getGateway(),
                probe.getAttended(),
                config(probe),
                probe.getSizeBytes(),
                probe.getAllocatedBytes());
    }

    private static Config config(Probe probe) {
        try {
            return ConfigCodec.fromMessage(probe.getConfig());
        } catch (WireException e) {
            throw new BlockException(BlockError.EIO, "illegal answer: " + e.getMessage(), e);
        }
    }

    private static void require(Answer answer, Answer.WhatCase wanted) {
        if (answer.getWhatCase() == Answer.WhatCase.FAILURE) {
            Failure failure = answer.getFailure();
            throw new BlockException(
                    error(failure.getError()), NameText.printable(failure.getMessage()));
        }
        if (answer.getWhatCase() != wanted) {
            throw new BlockException(
                    BlockError.EIO,
                    "illegal answer: expected=" + wanted + ", actual=" + answer.getWhatCase());
        }
    }

    private static BlockError error(String name) {
        return Arrays.stream(BlockError.values())
                .filter(error -> !error.isOk() && error.name().equals(name))
                .findFirst()
                .orElse(BlockError.EIO);
    }
}
