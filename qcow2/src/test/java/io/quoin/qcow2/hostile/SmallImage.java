package io.quoin.qcow2.hostile;

import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.Deflater;

/**
 * A valid image of sixteen clusters in memory, for a test to break one thing in it. Each structure
 * has its cluster, whether the image uses it or not, so that offsets are the same in all of them.
 */
public final class SmallImage {
    static final int INCOMPATIBLE = 72;
    static final int COMPATIBLE = 80;
    static final int AUTOCLEAR = 88;
    static final int HEADER_LENGTH = 100;

    /** In the image's data and in its neighbours; it must never turn up in a message. */
    static final String SECRET = "kept-from-messages";

    static final long COPIED = L2Entry.COPIED;
    static final int ZERO_ENTRY = 2;
    static final int KEPT_ENTRY = 3;
    static final int COMPRESSED_ENTRY = 4;

    private static final int CLUSTERS = 16;

    int version = 3;
    int clusterBits = 12;
    int refcountOrder = 4;
    long size = 4 << 20;
    boolean extended;
    boolean compressed;
    boolean zstd;
    boolean snapshot;
    boolean bitmap;
    String backing = "";
    String backingFormat = "raw";
    String dataFile = "";

    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private long fileSize;
    private int extensionsEnd;

    static SmallImage of(java.util.function.Consumer<SmallImage> options) {
        SmallImage image = new SmallImage();
        options.accept(image);
        image.lay();
        return image;
    }

    public static SmallImage plain() {
        return of(image -> {});
    }

    /** One whose clusters have {@code 1 << clusterBits} bytes. */
    public static SmallImage plain(int clusterBits) {
        return of(image -> image.clusterBits = clusterBits);
    }

    public static SmallImage version2() {
        return of(image -> image.version = 2);
    }

    public static SmallImage extendedL2() {
        return of(
                image -> {
                    image.extended = true;
                    image.clusterBits = 14;
                });
    }

    public static SmallImage withSnapshot() {
        return of(image -> image.snapshot = true);
    }

    public static SmallImage withBitmap() {
        return of(image -> image.bitmap = true);
    }

    public static SmallImage withZstd() {
        return of(
                image -> {
                    image.compressed = true;
                    image.zstd = true;
                });
    }

    public static SmallImage withCompressed() {
        return of(image -> image.compressed = true);
    }

    public static SmallImage withBacking(String name, String format) {
        return of(
                image -> {
                    image.backing = name;
                    image.backingFormat = format;
                });
    }

    public static SmallImage withDataFile(String name) {
        return of(image -> image.dataFile = name);
    }

    int cluster(int index) {
        return index << clusterBits;
    }

    int refcountTable() {
        return cluster(1);
    }

    int refcountBlock() {
        return cluster(2);
    }

    int l1() {
        return cluster(3);
    }

    int l2() {
        return cluster(4);
    }

    /** Where entry {@code index} of the L2 table is. */
    int entry(int index) {
        return l2() + index * (extended ? 16 : 8);
    }

    int data() {
        return cluster(5);
    }

    int compressedData() {
        return cluster(8);
    }

    public int snapshotTable() {
        return cluster(9);
    }

    int snapshotL1() {
        return cluster(10);
    }

    int snapshotL2() {
        return cluster(11);
    }

    public int bitmapDirectory() {
        return cluster(13);
    }

    int bitmapTable() {
        return cluster(14);
    }

    int bitmapData() {
        return cluster(15);
    }

    /** Where the first extension would be, and the first byte behind the last one. */
    int firstExtension() {
        return version == 2 ? 72 : 112;
    }

    int extensionsEnd() {
        return extensionsEnd;
    }

    public byte[] toArray() {
        return Arrays.copyOf(bytes.array(), (int) Math.min(fileSize, bytes.capacity()));
    }

    public long fileSize() {
        return fileSize;
    }

    public SmallImage putByte(int at, int value) {
        bytes.put(at, (byte) value);
        return this;
    }

    SmallImage putShort(int at, int value) {
        bytes.putShort(at, (short) value);
        return this;
    }

    SmallImage putInt(int at, long value) {
        bytes.putInt(at, (int) value);
        return this;
    }

    SmallImage putLong(int at, long value) {
        bytes.putLong(at, value);
        return this;
    }

    SmallImage putText(int at, String text) {
        byte[] encoded = text.getBytes(StandardCharsets.ISO_8859_1);
        bytes.put(at, encoded);
        return this;
    }

    SmallImage fill(int at, int length, int value) {
        Arrays.fill(bytes.array(), at, at + length, (byte) value);
        return this;
    }

    int getInt(int at) {
        return bytes.getInt(at);
    }

    long getLong(int at) {
        return bytes.getLong(at);
    }

    /** Sets bits of the 64-bit field at {@code at}. */
    SmallImage or(int at, long bits) {
        return putLong(at, getLong(at) | bits);
    }

    /** Cuts the file, or lets it grow by a hole. */
    SmallImage fileSize(long newSize) {
        fileSize = newSize;
        return this;
    }

    SmallImage refcount(int cluster, int count) {
        int at = refcountBlock();
        if (refcountOrder == 4) {
            return putShort(at + 2 * cluster, count);
        }
        throw new IllegalStateException("only for refcounts of 16 bits");
    }

    /** Adds an extension behind the last one. */
    SmallImage extension(int type, byte[] data) {
        return extension(type, data.length, data);
    }

    /** Adds an extension that says it is {@code length} long. */
    SmallImage extension(int type, long length, byte[] data) {
        putInt(extensionsEnd, type).putInt(extensionsEnd + 4, length);
        bytes.put(extensionsEnd + 8, data);
        extensionsEnd += 8 + (data.length + 7 & ~7);
        return this;
    }

    private void lay() {
        bytes = ByteBuffer.allocate(CLUSTERS << clusterBits);
        fileSize = bytes.capacity();
        layHeader();
        putLong(refcountTable(), refcountBlock());
        layData();
        if (snapshot) {
            laySnapshot();
        }
        if (bitmap) {
            layBitmap();
        }
        for (int i = 0; i < CLUSTERS; i++) {
            if (isUsed(i)) {
                refcount(i, snapshot && i == 5 ? 2 : 1);
            }
        }
    }

    private boolean isUsed(int cluster) {
        if (cluster == 8) {
            return compressed;
        }
        return cluster < 8 || (cluster <= 12 ? snapshot : bitmap);
    }

    private void layHeader() {
        putInt(0, 0x514649fbL).putInt(4, version).putInt(20, clusterBits).putLong(24, size);
        long cover = (long) ((1 << clusterBits) / (extended ? 16 : 8)) << clusterBits;
        putInt(36, (size + cover - 1) / cover).putLong(40, l1());
        putLong(48, refcountTable()).putInt(56, 1);
        extensionsEnd = firstExtension();
        if (version >= 3) {
            long incompatible = extended ? 1 << 4 : 0;
            incompatible |= zstd ? 1 << 3 : 0;
            incompatible |= dataFile.isEmpty() ? 0 : 1 << 2;
            putLong(INCOMPATIBLE, incompatible).putInt(96, refcountOrder);
            putInt(HEADER_LENGTH, 112).putByte(104, zstd ? 1 : 0);
        }
        if (!dataFile.isEmpty()) {
            extension(0x44415441, dataFile.getBytes(StandardCharsets.ISO_8859_1));
        }
        if (!backing.isEmpty()) {
            if (!backingFormat.isEmpty()) {
                extension(0xe2792aca, backingFormat.getBytes(StandardCharsets.ISO_8859_1));
            }
            putLong(8, 2048).putInt(16, backing.length()).putText(2048, backing);
        }
    }

    private void layData() {
        putLong(l1(), L1Entry.of(l2(), true));
        for (int i = 5; i <= 6; i++) {
            fill(cluster(i), 1 << clusterBits, i).putText(cluster(i), SECRET);
            putLong(entry(i - 5), L2Entry.of(cluster(i), !(snapshot && i == 5)));
        }
        if (extended) {
            putLong(entry(0) + 8, 0xffff_ffffL).putLong(entry(1) + 8, 0xffff_ffffL);
            putLong(entry(ZERO_ENTRY) + 8, 0xffff_ffffL << 32);
            putLong(entry(KEPT_ENTRY), L2Entry.of(cluster(7), true));
            putLong(entry(KEPT_ENTRY) + 8, 0xffff_ffffL << 32);
        } else if (version >= 3) {
            putLong(entry(ZERO_ENTRY), L2Entry.ZERO);
            putLong(entry(KEPT_ENTRY), L2Entry.zero(cluster(7), true));
        } else {
            putLong(entry(KEPT_ENTRY), L2Entry.of(cluster(7), true));
        }
        if (compressed) {
            byte[] stream = zstd ? zstdRun() : deflated();
            bytes.put(compressedData(), stream);
            putLong(
                    entry(COMPRESSED_ENTRY),
                    L2Entry.compressed(compressedData(), stream.length, clusterBits));
        }
    }

    private byte[] deflated() {
        byte[] plain = new byte[1 << clusterBits];
        Arrays.fill(plain, (byte) 8);
        return deflate(plain);
    }

    static byte[] deflate(byte[] plain) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        try {
            deflater.setInput(plain);
            deflater.finish();
            byte[] out = new byte[plain.length + 1024];
            return Arrays.copyOf(out, deflater.deflate(out));
        } finally {
            deflater.end();
        }
    }

    /** A frame of one block of one byte repeated. */
    private byte[] zstdRun() {
        int length = 1 << clusterBits;
        int size16 = length - 256;
        int block = 3 | length << 3;
        return new byte[] {
            0x28,
            (byte) 0xb5,
            0x2f,
            (byte) 0xfd,
            0x60,
            (byte) size16,
            (byte) (size16 >>> 8),
            (byte) block,
            (byte) (block >>> 8),
            (byte) (block >>> 16),
            8
        };
    }

    private void laySnapshot() {
        putInt(60, 1).putLong(64, snapshotTable());
        int at = snapshotTable();
        putLong(at, snapshotL1()).putInt(at + 8, getInt(36));
        putShort(at + 12, 1).putShort(at + 14, 4).putInt(at + 36, 16);
        putLong(at + 48, size).putText(at + 56, "1snap");
        putLong(snapshotL1(), L1Entry.of(snapshotL2(), true));
        putLong(snapshotL2(), L2Entry.of(cluster(5), false));
        putLong(snapshotL2() + 8, L2Entry.of(cluster(12), false));
        fill(cluster(12), 1 << clusterBits, 12);
    }

    private void layBitmap() {
        byte[] data = new byte[24];
        ByteBuffer.wrap(data).putInt(1).putInt(0).putLong(32).putLong(bitmapDirectory());
        extension(0x23852875, data);
        or(AUTOCLEAR, 1);
        int at = bitmapDirectory();
        putLong(at, bitmapTable()).putInt(at + 8, 1).putInt(at + 12, 2);
        putByte(at + 16, 1).putByte(at + 17, 16).putShort(at + 18, 3).putText(at + 24, "bm0");
        putLong(bitmapTable(), bitmapData());
        fill(bitmapData(), 4, 0x55);
    }
}
