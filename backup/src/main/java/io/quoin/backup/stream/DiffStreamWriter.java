package io.quoin.backup.stream;

import static io.quoin.backup.stream.DiffStreamLayout.CRC_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.DATA;
import static io.quoin.backup.stream.DiffStreamLayout.DONE;
import static io.quoin.backup.stream.DiffStreamLayout.DONE_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.HEAD;
import static io.quoin.backup.stream.DiffStreamLayout.MAGIC;
import static io.quoin.backup.stream.DiffStreamLayout.PREAMBLE_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.PREFIX_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.VERSION;
import static io.quoin.backup.stream.DiffStreamLayout.ZERO;
import static io.quoin.backup.stream.DiffStreamLayout.ZERO_BYTES;

import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/**
 * Writes a stream of differences. Throws {@link io.quoin.block.BlockException} if that fails.
 *
 * <p>Threading: confined to its thread.
 */
final class DiffStreamWriter {
    private final OutputStream out;
    private final String name;
    private final MessageDigest digest = sha256();
    private long sections;
    private long bytes;

    /**
     * @param out which the caller closes
     * @param name of the stream, for messages
     */
    DiffStreamWriter(OutputStream out, String name) {
        this.out = out;
        this.name = name;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    void head(DiffHeader header) {
        write(ByteBuffer.allocate(PREAMBLE_BYTES).put(MAGIC).putInt(VERSION).array());
        section(HEAD, header.encode());
    }

    /** At most {@link DiffStreamLayout#DATA_BYTES_MAX} bytes, behind those before. */
    void data(long offsetBytes, ByteBuffer content) {
        ByteBuffer body = ByteBuffer.allocate(Long.BYTES + content.remaining());
        section(DATA, body.putLong(offsetBytes).put(content.duplicate()).flip());
        sections++;
    }

    void zero(long offsetBytes, long lengthBytes) {
        ByteBuffer body = ByteBuffer.allocate(ZERO_BYTES);
        section(ZERO, body.putLong(offsetBytes).putLong(lengthBytes).flip());
        sections++;
    }

    /** Ends the stream, and hands on what is buffered. */
    void done() {
        ByteBuffer body = ByteBuffer.allocate(DONE_BYTES);
        section(DONE, body.putLong(sections).put(digest.digest()).flip());
        try {
            out.flush();
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Written so far. */
    long bytes() {
        return bytes;
    }

    private void section(int type, ByteBuffer body) {
        ByteBuffer section =
                ByteBuffer.allocate(PREFIX_BYTES + body.remaining() + CRC_BYTES)
                        .putInt(type)
                        .putInt(body.remaining())
                        .put(body);
        CRC32C crc = new CRC32C();
        crc.update(section.array(), 0, section.position());
        write(section.putInt((int) crc.getValue()).array());
    }

    private void write(byte[] section) {
        digest.update(section);
        bytes += section.length;
        try {
            out.write(section);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private RuntimeException failure(IOException e) {
        return Reason.failure(
                "stream of differences cannot be written", NameText.printable(name), e);
    }
}
