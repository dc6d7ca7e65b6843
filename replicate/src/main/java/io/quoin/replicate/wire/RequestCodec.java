package io.quoin.replicate.wire;

import io.quoin.replicate.Payload;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.FileRequest;
import io.quoin.replicate.wire.message.Nothing;
import io.quoin.replicate.wire.message.Read;
import io.quoin.replicate.wire.message.Resize;
import io.quoin.replicate.wire.message.Write;
import io.quoin.replicate.wire.message.WriteZeroes;
import java.util.UUID;

/**
 * Requests on the wire.
 *
 * <p>Threading: immutable.
 */
final class RequestCodec {
    private static final Nothing NOTHING = Nothing.getDefaultInstance();

    private RequestCodec() {}

    static FileRequest.Builder toMessage(UUID file, Request request) {
        FileRequest.Builder message =
                FileRequest.newBuilder()
                        .setFile(UuidCodec.toMessage(file))
                        .setGateway(request.gateway())
                        .setEpoch(request.epoch())
                        .setSession(request.session())
                        .setId(request.id());
        setOperation(message, request.operation());
        return message;
    }

    private static void setOperation(FileRequest.Builder message, Request.Operation operation) {
        if (operation instanceof Request.Write write) {
            message.setWrite(
                    Write.newBuilder()
                            .setOffsetBytes(write.offsetBytes())
                            .setDurable(write.isDurable()));
        } else if (operation instanceof Request.WriteZeroes zeroes) {
            message.setWriteZeroes(
                    WriteZeroes.newBuilder()
                            .setOffsetBytes(zeroes.offsetBytes())
                            .setLengthBytes(zeroes.lengthBytes())
                            .setMayUnmap(zeroes.mayUnmap())
                            .setDurable(zeroes.isDurable()));
        } else if (operation instanceof Request.Read read) {
            message.setRead(
                    Read.newBuilder()
                            .setOffsetBytes(read.offsetBytes())
                            .setLengthBytes(read.lengthBytes()));
        } else if (operation instanceof Request.Resize resize) {
            message.setResize(Resize.newBuilder().setSizeBytes(resize.sizeBytes()));
        } else if (operation instanceof Request.Configure configure) {
            message.setConfigure(ConfigCodec.toMessage(configure.config()));
        } else if (operation instanceof Request.Clean clean) {
            message.setClean(RegionCodec.toMessage(clean.regions()));
        } else if (operation instanceof Request.MapMerge merge) {
            message.setMapMerge(ConfigCodec.toMessage(merge.dirty()));
        } else {
            setBareOperation(message, operation);
        }
    }

    private static void setBareOperation(FileRequest.Builder message, Request.Operation operation) {
        if (operation instanceof Request.Promise) {
            message.setPromise(NOTHING);
        } else if (operation instanceof Request.Flush) {
            message.setFlush(NOTHING);
        } else if (operation instanceof Request.MapGet) {
            message.setMapGet(NOTHING);
        } else if (operation instanceof Request.Confirm) {
            message.setConfirm(NOTHING);
        } else {
            throw new IllegalArgumentException("not on the wire: operation=" + operation);
        }
    }

    /** What is written; empty if the request writes no data. */
    static Payload payload(Request request) {
        return request.operation() instanceof Request.Write write ? write.data() : Payload.EMPTY;
    }

    /** Throws if the request takes or asks for more data than a frame has. */
    static void check(Request request) {
        int lengthBytes =
                request.operation() instanceof Request.Read read
                        ? read.lengthBytes()
                        : payload(request).lengthBytes();
        if (lengthBytes > FrameLayout.PAYLOAD_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "too much for one request: lengthBytes="
                            + lengthBytes
                            + ", expected=at most "
                            + FrameLayout.PAYLOAD_BYTES_MAX);
        }
    }

    static Request fromMessage(FileRequest message, Payload payload) {
        return new Request(
                message.getGateway(),
                message.getEpoch(),
                message.getSession(),
                message.getId(),
                operation(message, payload));
    }

    private static Request.Operation operation(FileRequest message, Payload payload) {
        return switch (message.getOperationCase()) {
            case PROMISE -> new Request.Promise();
            case CONFIGURE ->
                    new Request.Configure(ConfigCodec.fromMessage(message.getConfigure()));
            case WRITE -> write(message.getWrite(), payload);
            case WRITE_ZEROES -> zeroes(message.getWriteZeroes());
            case READ -> read(message.getRead());
            case FLUSH -> new Request.Flush();
            case CLEAN -> new Request.Clean(RegionCodec.fromMessage(message.getClean()));
            case MAP_GET -> new Request.MapGet();
            case MAP_MERGE -> new Request.MapMerge(ConfigCodec.fromMessage(message.getMapMerge()));
            case CONFIRM -> new Request.Confirm();
            case RESIZE -> new Request.Resize(size(message.getResize().getSizeBytes()));
            case OPERATION_NOT_SET ->
                    throw new WireException("illegal request: no operation known here");
        };
    }

    private static Request.Write write(Write message, Payload payload) {
        range(message.getOffsetBytes(), payload.lengthBytes());
        return new Request.Write(message.getOffsetBytes(), payload, message.getDurable());
    }

    private static Request.WriteZeroes zeroes(WriteZeroes message) {
        range(message.getOffsetBytes(), message.getLengthBytes());
        return new Request.WriteZeroes(
                message.getOffsetBytes(),
                message.getLengthBytes(),
                message.getMayUnmap(),
                message.getDurable());
    }

    private static Request.Read read(Read message) {
        range(message.getOffsetBytes(), message.getLengthBytes());
        return new Request.Read(message.getOffsetBytes(), message.getLengthBytes());
    }

    private static void range(long offsetBytes, int lengthBytes) {
        if (lengthBytes <= 0 || lengthBytes > FrameLayout.PAYLOAD_BYTES_MAX) {
            throw new WireException(
                    "illegal request: lengthBytes="
                            + Integer.toUnsignedString(lengthBytes)
                            + ", expected=1 to "
                            + FrameLayout.PAYLOAD_BYTES_MAX);
        }
        size(offsetBytes);
        size(offsetBytes + lengthBytes);
    }

    private static long size(long bytes) {
        long most = (long) RegionCodec.REGIONS_MAX << 20;
        if (bytes < 0 || bytes > most) {
            throw new WireException(
                    "illegal request: offset or size="
                            + Long.toUnsignedString(bytes)
                            + ", expected=at most "
                            + most);
        }
        return bytes;
    }
}
