package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;
import io.quoin.qcow2.layout.L2Entry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Repairs of small images with a thing or two wrong in each: what they do, what they leave. */
@Timeout(60)
class SmallRepairTest {
    private static final int CLUSTER = 4096;
    private static final int REFCOUNT_TABLE = CLUSTER;
    private static final int REFCOUNT_BLOCK = 2 * CLUSTER;
    private static final int L1 = 3 * CLUSTER;
    private static final int L2 = 4 * CLUSTER;
    private static final int OTHER_ENTRY = L2 + 8;
    private static final int KEPT_ENTRY = L2 + 24;
    private static final int COMPRESSED_ENTRY = L2 + 32;
    private static final int SNAPSHOT_TABLE = 9 * CLUSTER;
    private static final int SNAPSHOT_L2 = 11 * CLUSTER;
    private static final int BITMAP_DIRECTORY = 13 * CLUSTER;
    private static final int CRYPT_METHOD = 32;
    private static final int REFCOUNT_ORDER = 96;
    private static final int SECOND_EXTENSION = 144;
    private static final long FAR = 1L << 40;

    private final List<String> findings = new ArrayList<>();

    @Test
    void shouldGiveNothingBackWhenEntryLeadsBeyondEndOfFile() {
        ByteBuffer image = bytes(SmallImage.plain());
        image.putLong(OTHER_ENTRY, image.getLong(OTHER_ENTRY) + FAR);
        assertThat(keepsLeaks(image)).as("%s", findings).isTrue();
    }

    @Test
    void shouldGiveNothingBackWhenStreamLiesBeyondEndOfFile() {
        ByteBuffer image = bytes(SmallImage.withCompressed());
        image.putLong(COMPRESSED_ENTRY, image.getLong(COMPRESSED_ENTRY) + FAR);
        assertThat(keepsLeaks(image)).as("%s", findings).isTrue();
    }

    @Test
    void shouldGiveNothingBackWhenSubclustersHaveNoPlace() {
        ByteBuffer image = bytes(SmallImage.extendedL2());
        int secondEntry = 4 * (1 << 14) + L2Entry.EXTENDED_SIZE_BYTES;
        image.putLong(secondEntry, 0);
        assertThat(keepsLeaks(image)).as("%s", findings).isTrue();
    }

    /** It is not known where the LUKS header is, with which all data would be lost. */
    @Test
    void shouldGiveNothingBackWhenCryptoHeaderIsNowhere() {
        ByteBuffer image = bytes(SmallImage.plain());
        image.putInt(CRYPT_METHOD, 2).putShort(REFCOUNT_BLOCK + 2 * 8, (short) 1);
        CheckResult result = check(content(image), RepairMode.LEAKS);
        assertThat(result.leaks()).as("%s", findings).isEqualTo(1);
        assertThat(result.leaksFixed()).isZero();
        assertThat(result.exitCode()).isEqualTo(CheckResult.EXIT_NOT_COMPLETED);
    }

    /** The snapshot table would be written anew, and the refcounts without the LUKS header. */
    @Test
    void shouldKeepHidingWhenSnapshotTableCanBeMended() {
        ByteBuffer image = bytes(SmallImage.withSnapshot());
        image.putInt(CRYPT_METHOD, 2).putShort(REFCOUNT_BLOCK + 2 * 8, (short) 1);
        // No extra data, where version 3 has some.
        image.putInt(SNAPSHOT_TABLE + 36, 0).putInt(SNAPSHOT_TABLE + 40, 0x31736e61);
        image.put(SNAPSHOT_TABLE + 44, (byte) 'p');
        CheckResult result = check(content(image), RepairMode.ALL);
        assertThat(result.leaks()).as("%s", findings).isEqualTo(1);
        assertThat(result.leaksFixed()).isZero();
        assertThat(result.corruptionsFixed()).isZero();
    }

    /** The guest would write in place into what the snapshot has too. */
    @Test
    void shouldNotSayCopiedWhenCountOfSharedClusterStaysTooLow() {
        ByteBuffer image = bytes(SmallImage.withSnapshot());
        image.putShort(REFCOUNT_BLOCK + 2 * 5, (short) 1);
        image.putLong(REFCOUNT_TABLE + 8, REFCOUNT_BLOCK + 512);
        hideReferences(image);
        assertThat(isCopiedAfterRepair(image)).as("%s", findings).isFalse();
    }

    @Test
    void shouldNotSayCopiedWhenRefcountCannotSayThatClusterIsShared() {
        ByteBuffer image = bytes(SmallImage.withSnapshot());
        image.putInt(REFCOUNT_ORDER, 0);
        // A bit for each cluster in use, from the lowest of the first byte on.
        image.putLong(REFCOUNT_BLOCK, 0xff1e_0000_0000_0000L).putLong(REFCOUNT_BLOCK + 8, 0);
        image.putLong(REFCOUNT_BLOCK + 16, 0).putLong(REFCOUNT_BLOCK + 24, 0);
        hideReferences(image);
        assertThat(isCopiedAfterRepair(image)).as("%s", findings).isFalse();
    }

    private static void hideReferences(ByteBuffer image) {
        image.putLong(L1 + 8, SNAPSHOT_L2 + 512);
    }

    private boolean isCopiedAfterRepair(ByteBuffer image) {
        assertThat(L2Entry.isCopied(image.getLong(L2))).isFalse();
        RecordedFile file = new RecordedFile(content(image));
        assertThat(check(file, RepairMode.ALL).exitCode()).isEqualTo(CheckResult.EXIT_CORRUPT);
        return L2Entry.isCopied(ByteBuffer.wrap(file.content()).getLong(L2));
    }

    @Test
    void shouldRepairOverlapWhenPlaceWithoutDataIsUnaligned() {
        ByteBuffer image = bytes(SmallImage.plain());
        image.putLong(KEPT_ENTRY, image.getLong(KEPT_ENTRY) + 512);
        image.putLong(OTHER_ENTRY, L2Entry.of(L1, true));
        CheckResult result = check(content(image), RepairMode.ALL);
        assertThat(result.isClean()).as("%s", findings).isTrue();
    }

    /** The directory cannot be moved, and what it says may be what something else says. */
    @Test
    void shouldMoveNothingWhenBitmapDirectoryIsSomethingElseToo() {
        ByteBuffer image = bytes(SmallImage.withBitmap());
        image.putInt(CRYPT_METHOD, 2);
        image.putInt(SECOND_EXTENSION, 0x0537be77).putInt(SECOND_EXTENSION + 4, 16);
        image.putLong(SECOND_EXTENSION + 8, BITMAP_DIRECTORY);
        image.putLong(SECOND_EXTENSION + 16, CLUSTER);
        image.putLong(OTHER_ENTRY, L1);
        RecordedFile file = new RecordedFile(content(image));
        CheckResult result = check(file, RepairMode.ALL);
        assertThat(result.exitCode()).as("%s", findings).isEqualTo(CheckResult.EXIT_CORRUPT);
        assertThat(ByteBuffer.wrap(file.content()).getLong(OTHER_ENTRY)).isEqualTo(L1);
    }

    private static byte[] content(ByteBuffer image) {
        byte[] bytes = new byte[image.capacity()];
        image.get(0, bytes);
        return bytes;
    }

    private static ByteBuffer bytes(SmallImage image) {
        return ByteBuffer.wrap(image.toArray());
    }

    /** Whether there is a leak, and a repair of leaks alone leaves it. */
    private boolean keepsLeaks(ByteBuffer image) {
        CheckResult result = check(content(image), RepairMode.LEAKS);
        return result.leaks() == 1 && result.leaksFixed() == 0;
    }

    private CheckResult check(byte[] image, RepairMode mode) {
        return check(new MemoryImageFile(image, image.length), mode);
    }

    private CheckResult check(ImageFile file, RepairMode mode) {
        CheckListener listener =
                new CheckListener() {
                    @Override
                    public void finding(String text) {
                        findings.add(text);
                    }
                };
        return Qcow2Check.check(file, mode, listener);
    }
}
