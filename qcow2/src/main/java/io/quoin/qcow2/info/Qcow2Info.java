package io.quoin.qcow2.info;

import io.quoin.block.BlockException;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Describes an image by the names that {@code qemu-img info --output=json} uses. Plain values,
 * lists and maps only.
 *
 * <p>Threading: immutable.
 */
public final class Qcow2Info {
    private static final long NANOS = 1_000_000_000L;

    private Qcow2Info() {}

    /**
     * Reads header, snapshots and bitmaps of a qcow2 image.
     *
     * @throws BlockException EINVAL or ENOTSUP for what cannot be read, EIO where the file cannot
     */
    public static Map<String, Object> describe(ImageFile file) {
        try {
            return describe(ClosedImage.open(file));
        } catch (BlockException e) {
            throw e.about(file.name());
        }
    }

    private static Map<String, Object> describe(ClosedImage image) {
        Qcow2Header header = image.header;
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("format", "qcow2");
        info.put("virtual-size", header.sizeBytes());
        info.put("cluster-size", (long) header.clusterSizeBytes());
        info.put("file-size", image.fileSizeBytes);
        info.put("dirty-flag", header.isDirty());
        if (header.cryptMethod() != 0) {
            info.put("encrypted", true);
        }
        if (header.backingFile() != null) {
            info.put("backing-filename", header.backingFile());
            if (header.backingFormat() != null) {
                info.put("backing-filename-format", header.backingFormat());
            }
        }
        List<Map<String, Object>> snapshots = snapshots(image);
        if (!snapshots.isEmpty()) {
            info.put("snapshots", snapshots);
        }
        Map<String, Object> specific = new LinkedHashMap<>();
        specific.put("type", "qcow2");
        specific.put("data", specificData(image));
        info.put("format-specific", specific);
        return info;
    }

    private static Map<String, Object> specificData(ClosedImage image) {
        Qcow2Header header = image.header;
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("compat", header.version() == 2 ? "0.10" : "1.1");
        data.put(
                "compression-type",
                header.compressionType() == Qcow2Header.COMPRESSION_ZSTD ? "zstd" : "zlib");
        data.put("refcount-bits", (long) header.refcountBits());
        if (header.version() >= 3) {
            data.put("lazy-refcounts", header.lazyRefcounts());
            data.put("corrupt", header.isCorrupt());
            data.put("extended-l2", header.hasExtendedL2());
            List<Map<String, Object>> bitmaps = bitmaps(image);
            if (!bitmaps.isEmpty()) {
                data.put("bitmaps", bitmaps);
            }
            if (header.hasExternalDataFile()) {
                String name = header.dataFile();
                if (name != null) {
                    data.put("data-file", name);
                }
                data.put("data-file-raw", header.isRawExternalData());
            }
        }
        return data;
    }

    private static List<Map<String, Object>> snapshots(ClosedImage image) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (SnapshotEntry entry : image.snapshots().entries()) {
            Map<String, Object> snapshot = new LinkedHashMap<>();
            snapshot.put("id", entry.id());
            snapshot.put("name", entry.name());
            snapshot.put("vm-state-size", entry.vmStateSizeBytes());
            snapshot.put("date-sec", Integer.toUnsignedLong(entry.dateSeconds()));
            snapshot.put("date-nsec", Integer.toUnsignedLong(entry.dateNanos()));
            snapshot.put("vm-clock-sec", entry.vmClockNanos() / NANOS);
            snapshot.put("vm-clock-nsec", entry.vmClockNanos() % NANOS);
            if (entry.icount() != -1) {
                snapshot.put("icount", entry.icount());
            }
            list.add(snapshot);
        }
        return list;
    }

    private static List<Map<String, Object>> bitmaps(ClosedImage image) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (BitmapEntry entry : image.bitmaps()) {
            List<String> flags = new ArrayList<>();
            if (entry.isInUse()) {
                flags.add("in-use");
            }
            if (entry.isAuto()) {
                flags.add("auto");
            }
            Map<String, Object> bitmap = new LinkedHashMap<>();
            bitmap.put("name", entry.name());
            bitmap.put("flags", flags);
            bitmap.put("granularity", 1L << entry.granularityBits());
            list.add(bitmap);
        }
        return list;
    }
}
