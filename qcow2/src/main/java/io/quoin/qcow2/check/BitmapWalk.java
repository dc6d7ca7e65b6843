package io.quoin.qcow2.check;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.Relocations.Level;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.EntryFault;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Visits the persistent bitmaps: directory, tables, clusters of bits.
 *
 * <p>Threading: confined to the check.
 */
final class BitmapWalk {
    private final ClosedImage image;
    private final ReferenceTally tally;
    private final CheckReport report;
    private List<BitmapEntry> bitmaps = List.of();

    BitmapWalk(ClosedImage image, ReferenceTally tally, CheckReport report) {
        this.image = image;
        this.tally = tally;
        this.report = report;
    }

    /** Reads the directory. Opening the image for writing cannot go on without it either. */
    void read() {
        try {
            bitmaps = image.bitmaps();
        } catch (BlockException e) {
            report.checkError(String.valueOf(e.getMessage()));
            report.referencesHidden = true;
        }
    }

    void referenceDirectory() {
        BitmapsExtension extension = image.header.bitmaps();
        if (extension != null) {
            tally.fixed(
                    extension.directoryOffset(),
                    extension.directorySizeBytes(),
                    "bitmap directory");
        }
    }

    void referenceTables() {
        BitmapsExtension extension = image.header.bitmaps();
        long entryOffset = extension == null ? 0 : extension.directoryOffset();
        for (BitmapEntry bitmap : bitmaps) {
            tally.exclusive(
                    bitmap.tableOffset(),
                    (long) bitmap.tableEntries() * BitmapDirectoryLayout.TABLE_ENTRY_BYTES,
                    "table of bitmap " + bitmap.name(),
                    Level.DIRECTORY,
                    entryOffset);
            entryOffset += BitmapDirectoryLayout.sizeBytes(List.of(bitmap));
        }
    }

    /** Counts the references of the tables. */
    void walk() {
        ByteBuffer buffer = image.tableBuffer();
        int chunk = buffer.capacity() / BitmapDirectoryLayout.TABLE_ENTRY_BYTES;
        for (BitmapEntry bitmap : bitmaps) {
            String what = "table of bitmap " + bitmap.name();
            for (int first = 0; first < bitmap.tableEntries(); first += chunk) {
                int count = Math.min(chunk, bitmap.tableEntries() - first);
                long chunkOffset = bitmap.tableOffset() + 8L * first;
                image.read(chunkOffset, buffer, count * 8);
                for (int i = 0; i < count; i++) {
                    follow(what, buffer.getLong(i * 8), chunkOffset + 8L * i);
                }
            }
        }
    }

    private void follow(String what, long entry, long entryOffset) {
        EntryFault fault =
                BitmapDirectoryLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes);
        if (!fault.isNone()) {
            String text = "entry in the " + what + ": " + fault.text();
            if (fault == EntryFault.BEYOND_EOF) {
                report.corruption(text);
            } else {
                // The bitmaps cannot be loaded.
                report.checkError(text);
            }
            report.referencesHidden = true;
        } else if (BitmapDirectoryLayout.dataHostOffset(entry) != 0) {
            tally.exclusive(
                    BitmapDirectoryLayout.dataHostOffset(entry),
                    image.clusterSize,
                    "bitmap data",
                    Level.ENTRY,
                    entryOffset);
        }
    }
}
