package io.quoin.backup.stream;

import static io.quoin.backup.stream.DiffStreamLayout.CRC_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.DATA;
import static io.quoin.backup.stream.DiffStreamLayout.DONE;
import static io.quoin.backup.stream.DiffStreamLayout.DONE_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.HASH_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.HEAD;
import static io.quoin.backup.stream.DiffStreamLayout.MAGIC;
import static io.quoin.backup.stream.DiffStreamLayout.PREAMBLE_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.PREFIX_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.SECTOR_BYTES;
import static io.quoin.backup.stream.DiffStreamLayout.VERSION;
import static io.quoin.backup.stream.DiffStreamLayout.ZERO;
import static io.quoin.backup.stream.DiffStreamLayout.ZERO_BYTES;

import io.quoin.backup.BackupEvents;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stream of differences, and refuses one that is not as it was written: each section has a
 * checksum, and the last one a hash of all. Throws {@link BlockException}: EIO with the position
 * for one that is damaged or ends early, ENOTSUP for one of a later version, EINVAL for what is
 * none.
 *
 * <pre>
 *   START --header--> RANGES --next: DATA, ZERO--> RANGES --next: DONE, end of input--> ENDED
 * </pre>
 *
 * <p>Threading: confined to its thread.
 */
public final class DiffStreamReader {
    private final InputStream in;
    private final String name;
    private final DiffHeader header;
    private final MessageDigest digest = DiffStreamWriter.sha256();
    private long position;

    /** Where the section begins that is being read. */
    private long sectionAt;

    private long sections;
    private long endOfLast;
    private boolean ended;

    /**
     * Reads the beginning.
     *
     * @param in which the caller closes
     * @param name of the stream, for messages
     */
    public DiffStreamReader(InputStream in, String name) {
        this.in = in;
        this.name = name;
        readPreamble();
        Section head = section();
        DiffHeader found = head.type == HEAD ? DiffHeader.decode(head.body) : null;
        if (found == null) {
            throw damaged("it does not begin with a sound header");
        }
        this.header = found;
    }

    private record Section(int type, ByteBuffer body) {}

    public DiffHeader header() {
        return header;
    }

    /** Reads on to the end, and so verifies it. */
    public void verify(BackupEvents events) {
        for (DiffRange range = next(); range != null; range = next()) {
            events.progress(range.endBytes(), header.sizeBytes());
            events.checkpoint();
        }
    }

    /**
     * The next range, which begins at or behind the end of the one before.
     *
     * @return null: there is none, and all that was read is as it was written
     */
    @Nullable DiffRange next() {
        if (ended) {
            return null;
        }
        byte[] before = hashSoFar();
        Section section = section();
        DiffRange range =
                switch (section.type) {
                    case DATA -> data(section.body);
                    case ZERO -> zero(section.body);
                    case DONE -> null;
                    default -> throw damaged("a second header");
                };
        if (range == null) {
            end(section.body, before);
            return null;
        }
        if (!isSound(range)) {
            throw damaged(
                    "range out of order: offset="
                            + range.offsetBytes()
                            + ", length="
                            + range.lengthBytes());
        }
        sections++;
        endOfLast = range.endBytes();
        return range;
    }

    private byte[] hashSoFar() {
        try {
            return ((MessageDigest) digest.clone()).digest();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("the JDK's SHA-256 can be cloned", e);
        }
    }

    private static DiffRange data(ByteBuffer body) {
        if (body.remaining() < Long.BYTES) {
            return new DiffRange(-1, 0, body);
        }
        long offset = body.getLong();
        return new DiffRange(offset, body.remaining(), body.slice());
    }

    private static DiffRange zero(ByteBuffer body) {
        return body.remaining() == ZERO_BYTES
                ? new DiffRange(body.getLong(), body.getLong(), null)
                : new DiffRange(-1, 0, null);
    }

    private boolean isSound(DiffRange range) {
        return range.offsetBytes() >= endOfLast
                && range.lengthBytes() > 0
                && range.offsetBytes() % SECTOR_BYTES == 0
                && range.lengthBytes() % SECTOR_BYTES == 0
                && range.lengthBytes() <= header.sizeBytes() - range.offsetBytes();
    }

    private void end(ByteBuffer body, byte[] hash) {
        byte[] expected = new byte[HASH_BYTES];
        if (body.remaining() != DONE_BYTES || body.getLong() != sections) {
            throw damaged("another number of ranges was written");
        }
        body.get(expected);
        if (!Arrays.equals(expected, hash)) {
            throw damaged("its hash is another one");
        }
        sectionAt = position;
        if (read(new byte[1], 1) != 0) {
            throw damaged("there is more behind its end");
        }
        ended = true;
    }

    private void readPreamble() {
        ByteBuffer preamble = read(PREAMBLE_BYTES);
        byte[] magic = new byte[MAGIC.length];
        preamble.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "not a stream of differences: name="
                            + NameText.printable(name)
                            + ", expected=what 'quoin backup export-diff' writes");
        }
        int version = preamble.getInt();
        if (version != VERSION) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "stream of differences is of another version: name="
                            + NameText.printable(name)
                            + ", expected="
                            + VERSION
                            + ", actual="
                            + Integer.toUnsignedString(version));
        }
    }

    private Section section() {
        sectionAt = position;
        ByteBuffer prefix = read(PREFIX_BYTES);
        int type = prefix.getInt();
        int length = prefix.getInt();
        if (length < 0 || length > DiffStreamLayout.lengthMax(type)) {
            throw damaged("a section of no known type or length");
        }
        ByteBuffer body = read(length);
        ByteBuffer sum = read(CRC_BYTES);
        CRC32C crc = new CRC32C();
        crc.update(prefix.rewind());
        crc.update(body.duplicate());
        if (sum.getInt() != (int) crc.getValue()) {
            throw damaged("a checksum is another one");
        }
        return new Section(type, body);
    }

    private ByteBuffer read(int length) {
        byte[] bytes = new byte[length];
        if (read(bytes, length) < length) {
            throw new BlockException(
                    BlockError.EIO,
                    "stream of differences ends early: name="
                            + NameText.printable(name)
                            + ", position="
                            + position);
        }
        digest.update(bytes);
        return ByteBuffer.wrap(bytes);
    }

    private int read(byte[] bytes, int length) {
        try {
            int count = in.readNBytes(bytes, 0, length);
            position += count;
            return count;
        } catch (IOException e) {
            throw Reason.failure(
                    "stream of differences cannot be read: position=" + position,
                    NameText.printable(name),
                    e);
        }
    }

    private BlockException damaged(String why) {
        return new BlockException(
                BlockError.EIO,
                "stream of differences is damaged: name="
                        + NameText.printable(name)
                        + ", position="
                        + sectionAt
                        + ", reason="
                        + why);
    }
}
