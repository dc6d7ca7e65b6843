package io.quoin.qcow2.file;

import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.util.function.LongUnaryOperator;

/**
 * Tables of a cluster each, in the order of the entries that lead to them. Where clusters are small
 * a call costs more than a table does, so the tables that come next are read in the same one: from
 * one table on twice as many each time, as long as all of them are used. What they take is a {@link
 * ClosedImage#tableBuffer}.
 *
 * <p>Threading: confined to its user.
 */
public final class TablesAhead {
    private final ClosedImage image;
    private final LongUnaryOperator hostOffsetOf;
    private final ByteBuffer buffer;
    private final ByteBuffer[] tables;
    private final long[] hostOffsets;
    private int held;

    /** The table that was used last; as many as are held: none of them. */
    private int at;

    private boolean isLastUsed;
    private int wanted = 1;

    /**
     * @param hostOffsetOf where the table is that an entry leads to; 0: it leads to none that could
     *     be read
     */
    public TablesAhead(ClosedImage image, LongUnaryOperator hostOffsetOf) {
        this.image = image;
        this.hostOffsetOf = hostOffsetOf;
        this.buffer = image.tableBuffer();
        this.tables = new ByteBuffer[buffer.capacity() / image.clusterSize];
        for (int i = 0; i < tables.length; i++) {
            tables[i] = buffer.slice(i * image.clusterSize, image.clusterSize);
        }
        this.hostOffsets = new long[tables.length];
    }

    /**
     * The table that an entry leads to; it stands until the next call.
     *
     * @param entries as they are on disk; those behind it may be read ahead
     * @param position of the entry in {@code entries}, which leads to a table
     */
    public ByteBuffer table(ByteBuffer entries, int position) {
        long hostOffset = hostOffsetOf.applyAsLong(entries.getLong(position));
        if (at == held || hostOffsets[at] != hostOffset) {
            find(hostOffset);
            if (at == held) {
                readFrom(entries, position);
            }
        }
        isLastUsed |= at == held - 1;
        return tables[at].clear();
    }

    /** After a write, which may have been to one of the tables: they are read again. */
    public void forget() {
        held = 0;
        at = 0;
        isLastUsed = false;
        wanted = 1;
    }

    private void find(long hostOffset) {
        while (at < held && hostOffsets[at] != hostOffset) {
            at++;
        }
    }

    private void readFrom(ByteBuffer entries, int position) {
        if (held > 0) {
            wanted = isLastUsed ? Math.min(tables.length, 2 * wanted) : Math.max(1, wanted / 2);
        }
        held = 0;
        at = 0;
        isLastUsed = false;
        int count = 0;
        for (int i = position; i < entries.limit() && count < wanted; i += Long.BYTES) {
            long hostOffset = hostOffsetOf.applyAsLong(entries.getLong(i));
            if (hostOffset != 0) {
                hostOffsets[count++] = hostOffset;
            }
        }
        held = read(count);
    }

    private int read(int count) {
        try {
            image.readEach(hostOffsets, 0, count, buffer);
            return count;
        } catch (BlockException e) {
            if (count == 1) {
                throw e;
            }
            // One that is not asked for, maybe never, is no reason to fail.
            image.readEach(hostOffsets, 0, 1, buffer);
            return 1;
        }
    }
}
