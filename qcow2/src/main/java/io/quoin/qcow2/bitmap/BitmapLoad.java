package io.quoin.qcow2.bitmap;

import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.MetadataMap;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.EntryFault;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the table of a bitmap and, if it is usable, its bits. A bitmap with a broken table becomes
 * inconsistent; entries of it that are wrong count as none.
 *
 * <p>Threading: confined(loop).
 */
final class BitmapLoad extends BitmapTask {
    private enum State {
        TABLE,
        CHECK,
        DATA,
        TAKE,
        DONE
    }

    private static final Logger LOG = LoggerFactory.getLogger(BitmapLoad.class);
    private static final int PIECE_BYTES = 1 << 20;

    /** Tables of unusable bitmaps beyond this are not read: nothing may be allocated for them. */
    private static final long UNUSABLE_TABLE_BYTES_MAX = 4 << 20;

    private final ImageIo io;
    private final @Nullable MetadataMap map;
    private final StoredBitmap bitmap;
    private final DirtyBits bits;
    private final int clusterBits;
    private final boolean usable;
    private final ReadBuffer buffer;
    private State state = State.TABLE;
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private long[] table = {};
    private int index;
    private int pieceClusters;

    /**
     * @param map where clusters that hold the bitmap are entered; null: nothing will be written
     * @param buffer what is read into, which nothing else uses meanwhile
     */
    BitmapLoad(
            ImageIo io,
            @Nullable MetadataMap map,
            StoredBitmap bitmap,
            long sizeBytes,
            int clusterBits,
            ReadBuffer buffer) {
        this.io = io;
        this.map = map;
        this.bitmap = bitmap;
        this.clusterBits = clusterBits;
        this.buffer = buffer;
        this.usable = bitmap.isUsable();
        this.bits = new DirtyBits(usable ? sizeBytes : 0, bitmap.granularityBits);
    }

    @Override
    protected boolean work() {
        switch (state) {
            case TABLE -> readTable();
            case CHECK -> checkTable();
            case DATA -> readData();
            case TAKE -> takeData();
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    private void readTable() {
        long expected =
                DirtyBits.tableEntries(bits.sizeBytes(), bitmap.granularityBits, clusterBits);
        if (usable && bitmap.tableEntries() != expected) {
            broken("table entries=" + bitmap.tableEntries() + ", expected=" + expected);
            state = State.DONE;
            return;
        }
        long length = (long) bitmap.tableEntries() * BitmapDirectoryLayout.TABLE_ENTRY_BYTES;
        if (length == 0 || (!usable && length > UNUSABLE_TABLE_BYTES_MAX)) {
            finish();
            return;
        }
        table = new long[bitmap.tableEntries()];
        int wholeClusters = (int) roundedUpToCluster(length);
        bytes = buffer.ofAtLeast(wholeClusters);
        state = State.CHECK;
        await();
        io.read(bitmap.tableOffset(), BufferUtil.address(bytes), wholeClusters, this::answer);
    }

    private long roundedUpToCluster(long length) {
        return (length + (1L << clusterBits) - 1) & (-1L << clusterBits);
    }

    private void checkTable() {
        bytes.clear().asLongBuffer().get(table);
        boolean sound = true;
        for (int i = 0; i < table.length; i++) {
            long hostOffset = BitmapDirectoryLayout.dataHostOffset(table[i]);
            EntryFault fault =
                    BitmapDirectoryLayout.tableFault(table[i], clusterBits, io.fileSizeBytes());
            // What a wrong entry names may be in use otherwise: it is not claimed, nor freed later.
            boolean claimed = fault.isNone() && claim(hostOffset);
            if (!claimed) {
                sound = false;
                broken(
                        "table entry "
                                + i
                                + ": hostOffset="
                                + hostOffset
                                + ", "
                                + (fault.isNone() ? "overlaps other metadata" : fault.text()));
                table[i] = BitmapDirectoryLayout.ALL_ZEROS;
            }
        }
        if (sound && usable) {
            state = State.DATA;
        } else {
            finish();
        }
    }

    private boolean claim(long hostOffset) {
        return hostOffset == 0
                || map == null
                || map.add(hostOffset >>> clusterBits, MetadataKind.BITMAP);
    }

    private void broken(String what) {
        if (bitmap.isUsable()) {
            LOG.warn(
                    "bitmap is broken, it is kept and not used: file={}, bitmap={}, {}",
                    io.file().fileName(),
                    bitmap.name,
                    what);
            bitmap.inconsistent();
        }
    }

    /** Goes on to the next clusters of bits that lie side by side, and reads them. */
    private void readData() {
        int most = Math.max(1, PIECE_BYTES >>> clusterBits);
        while (index < table.length && BitmapDirectoryLayout.dataHostOffset(table[index]) == 0) {
            if (table[index] == BitmapDirectoryLayout.ALL_ONES) {
                bits.fill(index, 1 << clusterBits);
            }
            index++;
        }
        if (index == table.length) {
            finish();
            return;
        }
        long hostOffset = BitmapDirectoryLayout.dataHostOffset(table[index]);
        pieceClusters = 1;
        while (pieceClusters < most
                && index + pieceClusters < table.length
                && BitmapDirectoryLayout.dataHostOffset(table[index + pieceClusters])
                        == hostOffset + ((long) pieceClusters << clusterBits)) {
            pieceClusters++;
        }
        bytes = buffer.ofAtLeast(most << clusterBits);
        state = State.TAKE;
        await();
        io.read(hostOffset, BufferUtil.address(bytes), pieceClusters << clusterBits, this::answer);
    }

    private void takeData() {
        bytes.clear();
        for (int i = 0; i < pieceClusters; i++) {
            bits.decode(index++, 1 << clusterBits, bytes);
        }
        state = State.DATA;
    }

    private void finish() {
        state = State.DONE;
        bits.stored();
        bitmap.loaded(bitmap.isUsable() ? bits : null, table);
    }
}
