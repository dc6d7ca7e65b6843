package io.quoin.nbd.negotiation;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.nbd.protocol.Handshake;
import io.quoin.nbd.protocol.MetaContext;
import io.quoin.nbd.protocol.NbdOption;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes replies to options; the caller flushes.
 *
 * <p>Threading: confined(loop).
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
final class OptionReplies {
    private final ChannelHandlerContext context;

    OptionReplies(ChannelHandlerContext context) {
        this.context = context;
    }

    void greet() {
        ByteBuf out = context.alloc().directBuffer(Handshake.GREETING_BYTES);
        out.writeLong(Handshake.NBDMAGIC).writeLong(Handshake.IHAVEOPT);
        out.writeShort(Handshake.FLAG_FIXED_NEWSTYLE | Handshake.FLAG_NO_ZEROES);
        context.writeAndFlush(out, context.voidPromise());
    }

    void ack(int option) {
        write(header(option, NbdOption.REP_ACK, 0));
    }

    /** An error with a text for a person, cut to what the protocol allows. */
    void error(int option, int type, String message) {
        byte[] text = cut(message);
        write(header(option, type, text.length).writeBytes(text));
    }

    void server(ExportInfo export) {
        byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
        byte[] description = cut(export.description());
        int length = Integer.BYTES + name.length + description.length;
        ByteBuf out = header(NbdOption.LIST, NbdOption.REP_SERVER, length);
        write(out.writeInt(name.length).writeBytes(name).writeBytes(description));
    }

    void infoExport(int option, long sizeBytes, int transmissionFlags) {
        ByteBuf out = info(option, NbdOption.INFO_EXPORT, Long.BYTES + Short.BYTES);
        write(out.writeLong(sizeBytes).writeShort(transmissionFlags));
    }

    void infoText(int option, int type, String text) {
        byte[] bytes = cut(text);
        write(info(option, type, bytes.length).writeBytes(bytes));
    }

    void infoBlockSize(int option, int min, int preferred, int max) {
        ByteBuf out = info(option, NbdOption.INFO_BLOCK_SIZE, 3 * Integer.BYTES);
        write(out.writeInt(min).writeInt(preferred).writeInt(max));
    }

    void metaContext(int option, int id, MetaContext described) {
        byte[] name = described.name().getBytes(StandardCharsets.UTF_8);
        ByteBuf out = header(option, NbdOption.REP_META_CONTEXT, Integer.BYTES + name.length);
        write(out.writeInt(id).writeBytes(name));
    }

    void exportName(long sizeBytes, int transmissionFlags, boolean noZeroes) {
        ByteBuf out = context.alloc().directBuffer();
        out.writeLong(sizeBytes).writeShort(transmissionFlags);
        if (!noZeroes) {
            out.writeZero(Handshake.EXPORT_NAME_PADDING_BYTES);
        }
        write(out);
    }

    private ByteBuf info(int option, int type, int lengthBytes) {
        return header(option, NbdOption.REP_INFO, Short.BYTES + lengthBytes).writeShort(type);
    }

    private ByteBuf header(int option, int type, int lengthBytes) {
        ByteBuf out = context.alloc().directBuffer(Handshake.REPLY_HEADER_BYTES + lengthBytes);
        out.writeLong(Handshake.REPLY_MAGIC).writeInt(option).writeInt(type);
        return out.writeInt(lengthBytes);
    }

    private void write(ByteBuf out) {
        context.write(out, context.voidPromise());
    }

    /** As UTF-8 of at most the length that the protocol allows, cut between characters. */
    private static byte[] cut(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, Handshake.STRING_BYTES_MAX);
        while (length < bytes.length && length > 0 && (bytes[length] & 0xc0) == 0x80) {
            length--;
        }
        return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
    }
}
