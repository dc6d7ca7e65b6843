package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checklist sections 1 to 4 and 16: every limit, with a header that is damaged by hand. */
@Timeout(60)
class HeaderTest {
    private static final int CLUSTER = 1 << 16;
    private static final long FILE = 64L * CLUSTER;

    private static HeaderBuilder sound() {
        return Qcow2Header.builder()
                .sizeBytes(1L << 30)
                .refcountTable(CLUSTER, 1)
                .l1(2, 3L * CLUSTER)
                .extension(FeatureNames.extension());
    }

    private static Qcow2Header parse(ByteBuffer bytes) {
        return Qcow2Header.parse(bytes, FILE);
    }

    private static void refused(String field, Consumer<ByteBuffer> damage) {
        refused(field, BlockError.EINVAL, sound(), damage);
    }

    private static void refused(
            String field, BlockError error, HeaderBuilder builder, Consumer<ByteBuffer> damage) {
        ByteBuffer bytes = builder.build().encode();
        damage.accept(bytes);
        assertThatThrownBy(() -> parse(bytes))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(field);
    }

    @Test
    void shouldReadBackWhatWasWritten() {
        Qcow2Header header =
                sound().backingFile("base.qcow2")
                        .extension(Qcow2Header.backingFormatExtension("qcow2"))
                        .features(Qcow2Header.DIRTY, Qcow2Header.LAZY_REFCOUNTS, 0)
                        .build();
        Qcow2Header parsed = parse(header.encode());
        assertThat(parsed.encode()).isEqualTo(header.encode());
        assertThat(parsed.backingFile()).isEqualTo("base.qcow2");
        assertThat(parsed.backingFormat()).isEqualTo("qcow2");
        assertThat(parsed.isDirty()).isTrue();
        assertThat(parsed.lazyRefcounts()).isTrue();
        assertThat(parsed.refcountBits()).isEqualTo(16);
    }

    @Test
    @DisplayName("QCOW2 1: a wrong magic and other versions are refused")
    void shouldRefuseWhenMagicOrVersionIsWrong() {
        refused("magic", bytes -> bytes.putInt(0, 0x514649fc));
        refused("version", BlockError.ENOTSUP, sound(), bytes -> bytes.putInt(4, 1));
        refused("version", BlockError.ENOTSUP, sound(), bytes -> bytes.putInt(4, 4));
    }

    @Test
    @DisplayName("QCOW2 2: version 2 means 72 bytes, counts of 16 bits and no features")
    void shouldTakeVersion2AsWidth16WithoutFeatures() {
        ByteBuffer bytes = sound().version(2).extensions(List.of()).build().encode();
        Qcow2Header header = parse(bytes);
        assertThat(header.refcountOrder()).isEqualTo(4);
        assertThat(
                        header.incompatibleFeatures()
                                | header.compatibleFeatures()
                                | header.autoclearFeatures())
                .isZero();
        assertThat(header.headerLengthBytes()).isEqualTo(72);
    }

    @ParameterizedTest
    @CsvSource({"103", "96", "0", "105", "131072", "-8"})
    @DisplayName("QCOW2 3, 4: a header_length that cannot be is refused")
    void shouldRefuseWhenHeaderLengthIsWrong(int length) {
        refused("header_length", bytes -> bytes.putInt(100, length));
    }

    @Test
    @DisplayName("QCOW2 5, 35: later header fields and unknown extensions are kept")
    void shouldKeepLaterFieldsAndUnknownExtensions() {
        ByteBuffer bytes = ByteBuffer.allocate(CLUSTER);
        bytes.put(sound().extensions(List.of()).build().encode());
        bytes.putInt(100, 128).putLong(112, 0x1122334455667788L).putLong(120, -1L);
        bytes.putInt(128, 0x12345678)
                .putInt(132, 5)
                .put(136, "hello".getBytes(StandardCharsets.US_ASCII));
        bytes.putInt(144, 0x12345678).putInt(148, 0);
        Qcow2Header header = parse(bytes.clear());
        assertThat(header.extensions()).hasSize(2);
        assertThat(header.encode()).isEqualTo(bytes);
        assertThat(parse(header.toBuilder().sizeBytes(4096).build().encode()).later())
                .isEqualTo(header.later());
    }

    @ParameterizedTest
    @CsvSource({"8", "22", "0", "-1", "16777216"})
    @DisplayName("QCOW2 6: cluster_bits out of range are refused")
    void shouldRefuseWhenClusterBitsAreOutOfRange(int bits) {
        refused("cluster_bits", bytes -> bytes.putInt(20, bits));
    }

    @Test
    @DisplayName("QCOW2 7: extended L2 with small clusters is refused")
    void shouldRefuseExtendedL2WhenClustersAreSmall() {
        HeaderBuilder small =
                sound().clusterBits(13).sizeBytes(1 << 20).features(Qcow2Header.EXTENDED_L2, 0, 0);
        refused("cluster_bits", BlockError.EINVAL, small, bytes -> {});
        assertThatCode(() -> parse(small.clusterBits(14).build().encode()))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource({"1073741825", "9223372036854775807", "-1", "-9223372036854775808"})
    @DisplayName("QCOW2 8, 9: an L1 that does not cover the size is refused")
    void shouldRefuseWhenL1DoesNotCoverSize(long size) {
        refused("l1_size", bytes -> bytes.putLong(24, size));
    }

    @ParameterizedTest
    @CsvSource({
        "4194305, 196608",
        "-1, 196608",
        "2, 196609",
        "2, 0",
        "2, -65536",
        "2, 4194304",
        "600000, 196608"
    })
    @DisplayName("QCOW2 11, 12: an L1 out of place is refused")
    void shouldRefuseWhenL1TableIsOutOfPlace(int entries, long offset) {
        refused("l1_", bytes -> bytes.putInt(36, entries).putLong(40, offset));
    }

    @ParameterizedTest
    @CsvSource({
        "65536, 0",
        "65536, 129",
        "65536, -1",
        "65537, 1",
        "0, 1",
        "-65536, 1",
        "9223372036854710272, 1"
    })
    @DisplayName("QCOW2 13, 149: a refcount table out of place, or that wraps, is refused")
    void shouldRefuseWhenRefcountTableIsOutOfPlace(long offset, int clusters) {
        refused("refcount_table", bytes -> bytes.putLong(48, offset).putInt(56, clusters));
    }

    @Test
    @DisplayName("QCOW2 14: a refcount table beyond the end of the file is not written")
    void shouldRefuseForWritingWhenRefcountTableIsBeyondEndOfFile() {
        Qcow2Header header = parse(sound().refcountTable(FILE, 1).build().encode());
        assertThatCode(() -> header.requireServable(false, FILE)).doesNotThrowAnyException();
        assertThatThrownBy(() -> header.requireServable(true, FILE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("refcount_table_offset");
    }

    @ParameterizedTest
    @CsvSource({"65537, 65536", "-1, 65536", "1, 65537", "1, 0", "1, 4194304"})
    @DisplayName("QCOW2 15: a snapshot table out of place is refused")
    void shouldRefuseWhenSnapshotTableIsOutOfPlace(int count, long offset) {
        refused("snapshots", bytes -> bytes.putInt(60, count).putLong(64, offset));
    }

    @ParameterizedTest
    @CsvSource({"65537, 4", "65535, 4", "-1, 4", "1024, 1024", "1024, -1", "64, 8", "111, 1"})
    @DisplayName("QCOW2 16, 17: a backing name out of place is refused")
    void shouldRefuseWhenBackingNameIsOutOfPlace(long offset, int length) {
        refused("backing_file", bytes -> bytes.putLong(8, offset).putInt(16, length));
    }

    @Test
    @DisplayName("QCOW2 17: an extension that runs into the backing name is refused")
    void shouldRefuseWhenExtensionRunsIntoBackingName() {
        refused("length", bytes -> bytes.putLong(8, 200).putInt(16, 4).putInt(200, 0x78787878));
    }

    @Test
    @DisplayName("QCOW2 18: unknown encryption is refused, known one not served")
    void shouldRefuseEncryption() {
        refused("crypt_method", bytes -> bytes.putInt(32, 3));
        Qcow2Header aes = parse(sound().cryptMethod(1).build().encode());
        assertThatThrownBy(() -> aes.requireServable(false, FILE))
                .hasMessageContaining("crypt_method");
    }

    @Test
    @DisplayName("QCOW2 19: refcount_order above 6 is refused")
    void shouldRefuseWhenRefcountOrderIsAboveSix() {
        refused("refcount_order", bytes -> bytes.putInt(96, 7));
        refused("refcount_order", bytes -> bytes.putInt(96, -1));
    }

    @Test
    @DisplayName("QCOW2 20: a compression type that contradicts its bit is refused")
    void shouldRefuseWhenCompressionTypeContradictsItsBit() {
        refused("compression_type", bytes -> bytes.put(104, (byte) 1));
        refused("compression_type", bytes -> bytes.putLong(72, 8));
        refused(
                "compression_type",
                BlockError.ENOTSUP,
                sound(),
                bytes -> bytes.put(104, (byte) 2).putLong(72, 8));
    }

    @Test
    @DisplayName("QCOW2 21: a file cut short anywhere is refused")
    void shouldRefuseFileOfAnyLengthWhenCutShort() {
        ByteBuffer whole = sound().build().encode();
        for (int length = 0; length < CLUSTER; length = length < 256 ? length + 1 : length + 997) {
            ByteBuffer cut = whole.duplicate().limit(length);
            int fileSize = length;
            assertThatThrownBy(() -> Qcow2Header.parse(cut, fileSize))
                    .isInstanceOf(BlockException.class);
        }
    }

    @Test
    @DisplayName("QCOW2 23, 39: an unknown incompatible bit is refused by its name")
    void shouldNameUnknownIncompatibleFeature() {
        ByteBuffer table = ByteBuffer.allocate(96);
        table.put(48, (byte) 0)
                .put(49, (byte) 40)
                .put(50, "time travel\u0001".getBytes(StandardCharsets.US_ASCII));
        HeaderExtension names =
                new HeaderExtension(
                        HeaderExtension.FEATURE_NAMES, OpaqueBytes.copyOf(table.array()));
        HeaderBuilder header = sound().extension(names).features(1L << 40 | 1L << 63, 0, 0);
        refused("bit 40 \"time travel?\", bit 63", BlockError.ENOTSUP, header, bytes -> {});
    }

    @Test
    @DisplayName("QCOW2 25, 38: a corrupt image, and a backing file without a format")
    void shouldRefuseToServeWhatCannotBeServedRight() {
        Qcow2Header corrupt = parse(sound().features(Qcow2Header.CORRUPT, 0, 0).build().encode());
        assertThatCode(() -> corrupt.requireServable(false, FILE)).doesNotThrowAnyException();
        assertThatThrownBy(() -> corrupt.requireServable(true, FILE))
                .hasMessageContaining("corrupt");
        Qcow2Header external =
                parse(sound().features(Qcow2Header.EXTERNAL_DATA_FILE, 0, 0).build().encode());
        assertThatThrownBy(() -> external.requireServable(false, FILE))
                .hasMessageContaining("external data");
        Qcow2Header unnamed = parse(sound().backingFile("base").build().encode());
        assertThatThrownBy(() -> unnamed.requireServable(false, FILE))
                .hasMessageContaining("backing format");
    }

    @Test
    @DisplayName("QCOW2 28, 29: unknown compatible and autoclear bits are kept")
    void shouldKeepUnknownCompatibleAndAutoclearBits() {
        Qcow2Header header = parse(sound().features(0, 1L << 50, 1L << 51).build().encode());
        assertThat(header.compatibleFeatures()).isEqualTo(1L << 50);
        assertThat(header.autoclearFeatures()).isEqualTo(1L << 51);
    }

    @Test
    @DisplayName("QCOW2 30, 31: autoclear bits without what they stand for are refused")
    void shouldRefuseAutoclearBitsWithoutWhatTheyStandFor() {
        refused(
                "bitmaps",
                BlockError.EINVAL,
                sound().features(0, 0, Qcow2Header.BITMAPS_CONSISTENT),
                bytes -> {});
        refused(
                "raw external",
                BlockError.EINVAL,
                sound().features(0, 0, Qcow2Header.RAW_EXTERNAL_DATA),
                bytes -> {});
        HeaderExtension stale = new BitmapsExtension(1, 32, 1).toExtension();
        assertThat(parse(sound().extension(stale).build().encode()).bitmaps()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"2147483647", "-1", "65536", "-2147483648"})
    @DisplayName("QCOW2 33, 34: an extension that is too long is refused")
    void shouldRefuseWhenExtensionIsTooLong(int length) {
        refused("length of 0x6803f857", bytes -> bytes.putInt(116, length));
    }

    @Test
    @DisplayName("QCOW2 36: a second extension of a known type is refused")
    void shouldRefuseSecondExtensionOfKnownType() {
        HeaderExtension format = Qcow2Header.backingFormatExtension("raw");
        refused(
                "type",
                BlockError.EINVAL,
                sound().extensions(List.of(format, format)),
                bytes -> {});
    }

    @Test
    @DisplayName("QCOW2 37, 43: a backing format that is long, and NUL in names")
    void shouldRefuseBackingFormatThatIsLongOrHasNul() {
        refused(
                "backing format",
                BlockError.EINVAL,
                sound().extension(Qcow2Header.backingFormatExtension("0123456789abcdef")),
                bytes -> {});
        refused(
                "backing format",
                BlockError.EINVAL,
                sound().extension(Qcow2Header.backingFormatExtension("raw\u0000")),
                bytes -> {});
        refused(
                "backing file name",
                BlockError.EINVAL,
                sound().backingFile("a\u0000b"),
                bytes -> {});
    }

    @ParameterizedTest
    @CsvSource({
        "0, 32, 65536",
        "65536, 32, 65536",
        "1, 0, 65536",
        "1, 67106816, 65536",
        "1, 32, 65537",
        "1, 32, 4194304"
    })
    @DisplayName("QCOW2 40: a bitmaps extension out of range is refused")
    void shouldRefuseWhenBitmapsExtensionIsOutOfRange(int count, long size, long offset) {
        HeaderBuilder header =
                sound().features(0, 0, 1)
                        .extension(new BitmapsExtension(count, size, offset).toExtension());
        refused("qcow2 bitmaps extension", BlockError.EINVAL, header, bytes -> {});
    }

    @Test
    @DisplayName("QCOW2 41, 42: extensions of features that are not set are refused")
    void shouldRefuseExtensionsOfFeaturesThatAreNotSet() {
        HeaderExtension crypto =
                new HeaderExtension(HeaderExtension.CRYPTO, OpaqueBytes.copyOf(new byte[16]));
        refused("crypt_method", BlockError.EINVAL, sound().extension(crypto), bytes -> {});
        HeaderExtension data =
                new HeaderExtension(
                        HeaderExtension.DATA_FILE, OpaqueBytes.copyOf(new byte[] {'x'}));
        refused("data file", BlockError.EINVAL, sound().extension(data), bytes -> {});
    }

    @Test
    @DisplayName("QCOW2 44: what does not fit into the first cluster is refused")
    void shouldRefuseToEncodeWhatDoesNotFitInFirstCluster() {
        HeaderBuilder header = sound().clusterBits(9).backingFile("x".repeat(200));
        assertThatThrownBy(() -> header.build().encode()).isInstanceOf(BlockException.class);
    }

    @Test
    @DisplayName("QCOW2 148, 149: random bytes end in a header or a refusal")
    void shouldEndInHeaderOrExceptionWhenBytesAreRandom() {
        long seed = 148;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        ByteBuffer good = sound().backingFile("base").build().encode();
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            ByteBuffer bytes = ByteBuffer.allocate(CLUSTER).put(good.duplicate()).clear();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                int at = random.nextInt(560);
                bytes.put(at, (byte) random.nextInt(256));
            }
            try {
                parse(bytes).encode();
            } catch (BlockException e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(1_000, 19_000);
    }
}
