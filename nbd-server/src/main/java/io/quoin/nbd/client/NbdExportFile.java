package io.quoin.nbd.client;

import io.netty.channel.Channel;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * An export of another server. What that server cannot do is done with what it can: zeros are
 * written, FUA is a write and a flush. A range too long for one command goes in several, one after
 * the other.
 *
 * <p>Threading: confined(loop).
 */
final class NbdExportFile implements XlatorFile {
    /** Of commands without a payload: far below 2^32, so that no server minds. */
    private static final int RANGE_BYTES_MAX = 1 << 30;

    /** Whatever the server takes at once: longer requests go in parts. */
    private static final int TRANSFER_BYTES_MAX = ClientNegotiation.PAYLOAD_BYTES_MAX;

    private static final int ZEROS_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;

    private final NbdUri uri;
    private final ExportDescription export;
    private final Loop loop;
    private final ClientConnection connection;
    private final Geometry geometry;
    private final Capabilities capabilities;
    private final ArrayDeque<ClientCommand> idle = new ArrayDeque<>();
    private @Nullable ByteBuffer zeros;

    /** What requests end in once there is no connection. */
    private BlockError whenLost = BlockError.EIO;

    private final IoVector zeroMemory = new IoVector();

    NbdExportFile(NbdUri uri, ExportDescription export, OpenMode mode, Loop loop, Channel channel) {
        this.uri = uri;
        this.export = export;
        this.loop = loop;
        connection = new ClientConnection(uri, channel, export, this::commandEnded);
        geometry =
                Geometry.ofSize(export.sizeBytes())
                        .blockSizes(export.blockSizeMin(), export.blockSizePreferred())
                        .transferMax(TRANSFER_BYTES_MAX);
        boolean canFlush = export.has(TransmissionFlags.SEND_FLUSH);
        Capabilities all =
                Capabilities.of(Capability.WRITE)
                        .with(Capability.FUA, canFlush || export.has(TransmissionFlags.SEND_FUA))
                        .with(Capability.DISCARD, export.has(TransmissionFlags.SEND_TRIM))
                        .with(Capability.FAST_ZERO, export.has(TransmissionFlags.SEND_FAST_ZERO));
        boolean isWritable = mode == OpenMode.READ_WRITE && !export.isReadOnly();
        capabilities = isWritable ? all : all.readOnly();
    }

    ClientConnection connection() {
        return connection;
    }

    @Override
    public String fileName() {
        return uri.exportName();
    }

    @Override
    public Geometry geometry() {
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void submit(IoRequest request) {
        if (request.op().changesData() && !capabilities.canWrite()) {
            request.complete(BlockError.EPERM);
        } else if (connection.failure() != null) {
            request.complete(whenLost);
        } else {
            ClientCommand command = idle.isEmpty() ? new ClientCommand() : idle.removeLast();
            command.begin(request);
            step(command);
        }
    }

    /** Sends what comes next for the request, or completes it. */
    private void step(ClientCommand command) {
        IoRequest request = command.request();
        switch (request.op()) {
            case READ -> read(command, request);
            case WRITE -> write(command, request);
            case WRITE_ZEROES -> zero(command, request);
            case DISCARD -> discard(command, request);
            case BLOCK_STATUS -> status(command, request);
            case FLUSH -> flush(command);
            case CACHE -> complete(command, BlockError.OK); // a hint, and not taken
        }
    }

    private void commandEnded(ClientCommand command) {
        if (connection.failure() != null) {
            complete(command, whenLost);
        } else if (!command.error.isOk()) {
            complete(command, command.error);
        } else {
            command.doneBytes += command.lengthBytes;
            step(command);
        }
    }

    private void complete(ClientCommand command, BlockError error) {
        IoRequest request = command.end();
        idle.addLast(command);
        request.complete(error);
    }

    private void read(ClientCommand command, IoRequest request) {
        if (command.doneBytes >= request.lengthBytes()) {
            complete(command, BlockError.OK);
            return;
        }
        next(command, request, RequestLayout.READ, export.payloadBytesMax());
        connection.send(command, 0);
    }

    private void write(ClientCommand command, IoRequest request) {
        if (command.doneBytes >= request.lengthBytes()) {
            makeDurable(command, request);
            return;
        }
        next(command, request, RequestLayout.WRITE, export.payloadBytesMax());
        connection.send(command, fua(request), request.memory(), command.doneBytes);
    }

    /** Prepares the command for what is left of the range, or for as much as one may ask for. */
    private static void next(ClientCommand command, IoRequest request, int type, int bytesMax) {
        long left = request.lengthBytes() - command.doneBytes;
        command.next(
                type, request.offsetBytes() + command.doneBytes, (int) Math.min(left, bytesMax));
    }

    private int fua(IoRequest request) {
        boolean isSent = request.has(IoFlags.FUA) && export.has(TransmissionFlags.SEND_FUA);
        return isSent ? RequestLayout.FLAG_FUA : 0;
    }

    /** A flush in place of FUA where the server does not know it. */
    private void makeDurable(ClientCommand command, IoRequest request) {
        boolean isDurable =
                !request.has(IoFlags.FUA)
                        || export.has(TransmissionFlags.SEND_FUA)
                        || command.isFlushing;
        if (isDurable) {
            complete(command, BlockError.OK);
        } else {
            command.isFlushing = true;
            command.next(RequestLayout.FLUSH, 0, 0);
            connection.send(command, 0);
        }
    }

    private void flush(ClientCommand command) {
        if (command.isFlushing || !export.has(TransmissionFlags.SEND_FLUSH)) {
            complete(command, BlockError.OK);
            return;
        }
        command.isFlushing = true;
        command.next(RequestLayout.FLUSH, 0, 0);
        connection.send(command, 0);
    }

    private void zero(ClientCommand command, IoRequest request) {
        if (command.doneBytes >= request.lengthBytes()) {
            makeDurable(command, request);
        } else if (export.has(TransmissionFlags.SEND_WRITE_ZEROES)) {
            int flags = fua(request);
            flags |= request.has(IoFlags.MAY_UNMAP) ? 0 : RequestLayout.FLAG_NO_HOLE;
            flags |= request.has(IoFlags.FAST_ZERO) ? RequestLayout.FLAG_FAST_ZERO : 0;
            range(command, request, RequestLayout.WRITE_ZEROES, flags);
        } else if (request.has(IoFlags.FAST_ZERO)) {
            complete(command, BlockError.ENOTSUP);
        } else {
            writeZeros(command, request);
        }
    }

    private void discard(ClientCommand command, IoRequest request) {
        if (command.doneBytes >= request.lengthBytes()) {
            makeDurable(command, request);
        } else if (export.has(TransmissionFlags.SEND_TRIM)) {
            range(command, request, RequestLayout.TRIM, fua(request));
        } else {
            complete(command, BlockError.ENOTSUP);
        }
    }

    private void range(ClientCommand command, IoRequest request, int type, int flags) {
        next(command, request, type, RANGE_BYTES_MAX);
        connection.send(command, flags);
    }

    private void writeZeros(ClientCommand command, IoRequest request) {
        ByteBuffer memory = zeros;
        if (memory == null) {
            int room = Math.min(ZEROS_BYTES, export.payloadBytesMax());
            memory = BufferUtil.allocateDirectAligned(room, ALIGNMENT);
            zeros = memory;
        }
        next(command, request, RequestLayout.WRITE, memory.capacity());
        zeroMemory.clear();
        zeroMemory.add(BufferUtil.address(memory), command.lengthBytes);
        connection.send(command, fua(request), zeroMemory, 0);
    }

    /** Reports from the start of the range on, perhaps not up to its end. */
    private void status(ClientCommand command, IoRequest request) {
        ExtentList extents = Objects.requireNonNull(request.extents(), "status without a list");
        if (command.doneBytes > 0) {
            complete(command, extents.count() > 0 ? BlockError.OK : BlockError.EIO);
        } else if (export.allocationId() == ExportDescription.NO_CONTEXT
                || request.lengthBytes() == 0) {
            if (request.lengthBytes() > 0) {
                extents.add(request.lengthBytes(), BlockStatus.DATA);
            }
            complete(command, BlockError.OK);
        } else {
            int flags = request.has(IoFlags.REQ_ONE) ? RequestLayout.FLAG_REQ_ONE : 0;
            range(command, request, RequestLayout.BLOCK_STATUS, flags);
        }
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.ENOTSUP,
                        "an NBD export cannot be resized: server="
                                + uri.server()
                                + ", export="
                                + uri.exportName()));
    }

    @Override
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("type", "nbd");
        details.put("server", uri.server());
        details.put("export", uri.exportName());
        details.put("structured-replies", export.isStructured());
        details.put("block-status", export.allocationId() != ExportDescription.NO_CONTEXT);
        if (connection.failure() != null) {
            details.put("failure", connection.failure());
        }
        return details;
    }

    @Override
    public void abort(BlockError error) {
        whenLost = error;
        connection.abort();
    }

    @Override
    public CompletionStage<Void> close() {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        IoRequest flush = loop.requests().acquire().flush();
        flush.push(
                (request, error) -> {
                    loop.requests().release(request);
                    goodbye(closed, error);
                });
        if (capabilities.canWrite()) {
            submit(flush);
        } else {
            flush.complete(BlockError.OK);
        }
        return closed;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the caller of close hears of it
    private void goodbye(CompletableFuture<Void> closed, BlockError flushed) {
        String failure = connection.failure();
        connection
                .close()
                .thenRun(
                        () -> {
                            if (flushed.isOk()) {
                                closed.complete(null);
                            } else {
                                closed.completeExceptionally(
                                        new BlockException(
                                                flushed,
                                                "what was written may be lost: server="
                                                        + uri.server()
                                                        + ", export="
                                                        + uri.exportName()
                                                        + ", reason="
                                                        + (failure == null
                                                                ? flushed.text()
                                                                : failure)));
                            }
                        });
    }
}
