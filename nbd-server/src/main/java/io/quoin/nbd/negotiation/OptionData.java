package io.quoin.nbd.negotiation;

import io.netty.buffer.ByteBuf;
import io.quoin.nbd.protocol.Handshake;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What options carry. A length inside the data is checked against what is left before anything is
 * read or allocated by it, and nothing may be left over.
 *
 * <pre>
 *  INFO, GO       | name length 32 | name | count 16 | count x information type 16 |
 *  META_CONTEXT   | name length 32 | name | count 32 | count x (length 32 | query) |
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class OptionData {
    private OptionData() {}

    /**
     * Data of INFO and GO.
     *
     * @param name the export; empty for the default one
     * @param informationTypes what the client asks for
     */
    record Info(String name, List<Integer> informationTypes) {
        /** Null if the data is malformed. */
        static @Nullable Info parse(ByteBuf data) {
            String name = readString(data);
            if (name == null || data.readableBytes() < Short.BYTES) {
                return null;
            }
            int count = data.readUnsignedShort();
            if (data.readableBytes() != count * Short.BYTES) {
                return null;
            }
            List<Integer> types = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int type = data.readUnsignedShort();
                if (!types.contains(type) && types.size() < TYPES_MAX) {
                    types.add(type);
                }
            }
            return new Info(name, types);
        }
    }

    /** More different information types than are defined need not be remembered. */
    private static final int TYPES_MAX = 64;

    /**
     * Data of LIST_META_CONTEXT and SET_META_CONTEXT.
     *
     * @param name the export; empty for the default one
     * @param queries contexts or namespaces
     */
    record Contexts(String name, List<String> queries) {
        /** Null if the data is malformed. */
        static @Nullable Contexts parse(ByteBuf data) {
            String name = readString(data);
            if (name == null || data.readableBytes() < Integer.BYTES) {
                return null;
            }
            long count = data.readUnsignedInt();
            List<String> queries = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                String query = readString(data);
                if (query == null) {
                    return null;
                }
                queries.add(query);
            }
            return data.isReadable() ? null : new Contexts(name, queries);
        }
    }

    /** A length and as many bytes of text; null if that is malformed. */
    private static @Nullable String readString(ByteBuf data) {
        if (data.readableBytes() < Integer.BYTES) {
            return null;
        }
        long length = data.readUnsignedInt();
        return length > data.readableBytes() ? null : text(data, (int) length);
    }

    /**
     * The next {@code lengthBytes} bytes as text; null if they are too many, no UTF-8, or contain a
     * NUL.
     */
    static @Nullable String text(ByteBuf data, int lengthBytes) {
        if (lengthBytes > Handshake.STRING_BYTES_MAX) {
            return null;
        }
        byte[] bytes = new byte[lengthBytes];
        data.readBytes(bytes);
        try {
            String text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .onUnmappableCharacter(CodingErrorAction.REPORT)
                            .decode(ByteBuffer.wrap(bytes))
                            .toString();
            return text.indexOf('\0') >= 0 ? null : text;
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
