package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checklist sections 6 to 9: L1 and L2 entries, subclusters, compressed descriptors. */
@Timeout(20)
class EntryTest {
    private static final long FILE = 1L << 30;

    @Test
    @DisplayName("QCOW2 65, 66: faults of L1 entries have names")
    void shouldNameFaultOfL1Entry() {
        assertThat(L1Entry.fault(0, 16, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(L1Entry.fault(L1Entry.of(0x50000, true), 16, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(L1Entry.fault(L1Entry.of(0x50200, true), 16, FILE))
                .isEqualTo(EntryFault.UNALIGNED);
        assertThat(L1Entry.fault(L1Entry.COPIED, 16, FILE))
                .isEqualTo(EntryFault.COPIED_WITHOUT_OFFSET);
        assertThat(L1Entry.fault(L1Entry.of(FILE, false), 16, FILE))
                .isEqualTo(EntryFault.BEYOND_EOF);
        assertThat(L1Entry.fault(L1Entry.of(FILE - 65536, false), 16, FILE))
                .isEqualTo(EntryFault.NONE);
        assertThat(L1Entry.hostOffset(-1L)).isEqualTo(0x00ff_ffff_ffff_fe00L);
        assertThat(L1Entry.OFFSET_MASK ^ L1Entry.COPIED ^ L1Entry.RESERVED_MASK).isEqualTo(-1L);
    }

    @Test
    @DisplayName("QCOW2 67, 69, 70: the kinds of clusters are told apart")
    void shouldTellKindsApart() {
        assertThat(L2Entry.kind(0)).isEqualTo(ClusterKind.UNALLOCATED);
        assertThat(L2Entry.kind(L2Entry.of(0x70000, true))).isEqualTo(ClusterKind.NORMAL);
        assertThat(L2Entry.kind(L2Entry.zero(0, false))).isEqualTo(ClusterKind.ZERO_PLAIN);
        assertThat(L2Entry.kind(L2Entry.zero(0x70000, true))).isEqualTo(ClusterKind.ZERO_ALLOCATED);
        assertThat(L2Entry.kind(L2Entry.compressed(0x70123, 100, 16)))
                .isEqualTo(ClusterKind.COMPRESSED);
        assertThat(L2Entry.extendedKind(L2Entry.ZERO)).isEqualTo(ClusterKind.UNALLOCATED);
        assertThat(
                        L2Entry.OFFSET_MASK
                                ^ L2Entry.COPIED
                                ^ L2Entry.COMPRESSED
                                ^ L2Entry.RESERVED_MASK
                                ^ L2Entry.ZERO)
                .isEqualTo(-1L);
    }

    @Test
    @DisplayName("QCOW2 67, 68, 69, 70, 71: faults of L2 entries have names")
    void shouldNameFaultOfL2Entry() {
        assertThat(L2Entry.fault(L2Entry.of(0x70000, true), 16, 3, FILE))
                .isEqualTo(EntryFault.NONE);
        assertThat(L2Entry.fault(L2Entry.of(0x70200, true), 16, 3, FILE))
                .isEqualTo(EntryFault.UNALIGNED);
        assertThat(L2Entry.fault(L2Entry.of(FILE, true), 16, 3, FILE))
                .isEqualTo(EntryFault.BEYOND_EOF);
        assertThat(L2Entry.fault(L2Entry.ZERO, 16, 3, FILE)).isEqualTo(EntryFault.NONE);
        assertThat(L2Entry.fault(L2Entry.ZERO, 16, 2, FILE))
                .isEqualTo(EntryFault.ZERO_FLAG_VERSION_2);
        assertThat(L2Entry.fault(L2Entry.COPIED, 16, 3, FILE))
                .isEqualTo(EntryFault.COPIED_WITHOUT_OFFSET);
        assertThat(L2Entry.fault(L2Entry.compressed(FILE, 5, 16), 16, 3, FILE))
                .isEqualTo(EntryFault.BEYOND_EOF);
    }

    @Test
    @DisplayName("QCOW2 81, 82, 83, 85: subclusters are read and changed")
    void shouldReadAndChangeSubclusters() {
        long bitmap = SubclusterBitmap.withAllocated(0, SubclusterBitmap.mask(4, 3));
        assertThat(SubclusterBitmap.isAllocated(bitmap, 6)).isTrue();
        assertThat(SubclusterBitmap.isAllocated(bitmap, 7)).isFalse();
        long zeroed = SubclusterBitmap.withZero(bitmap, SubclusterBitmap.mask(6, 26));
        assertThat(SubclusterBitmap.isAllocated(zeroed, 6)).isFalse();
        assertThat(SubclusterBitmap.isZero(zeroed, 31)).isTrue();
        assertThat(SubclusterBitmap.mask(0, 32)).isEqualTo(0xffff_ffffL);
        long descriptor = L2Entry.of(0x70000, true);
        assertThat(SubclusterBitmap.fault(descriptor, zeroed)).isEqualTo(EntryFault.NONE);
        assertThat(SubclusterBitmap.fault(descriptor, 1L | 1L << 32))
                .isEqualTo(EntryFault.SUBCLUSTER_CONFLICT);
        assertThat(SubclusterBitmap.fault(0, 1L)).isEqualTo(EntryFault.SUBCLUSTER_WITHOUT_OFFSET);
        assertThat(SubclusterBitmap.fault(0, 1L << 32)).isEqualTo(EntryFault.NONE);
        assertThat(SubclusterBitmap.fault(L2Entry.COMPRESSED, 1L << 32))
                .isEqualTo(EntryFault.SUBCLUSTER_COMPRESSED);
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 12, 16, 21})
    @DisplayName("QCOW2 60, 88: compressed descriptors of each cluster size read back")
    void shouldReadBackCompressedDescriptor(int clusterBits) {
        int cluster = 1 << clusterBits;
        long end = 1L << Math.min(56, 62 - (clusterBits - 8));
        for (int length : new int[] {1, 100, 511, cluster / 2, cluster - 1, cluster}) {
            for (long offset : new long[] {cluster, cluster + 511, 123_456_789L, end - length}) {
                assertThat(L2Entry.isCompressible(offset, length, clusterBits)).isTrue();
                long entry = L2Entry.compressed(offset, length, clusterBits);
                assertThat(L2Entry.isCompressed(entry)).isTrue();
                assertThat(L2Entry.isCopied(entry)).isFalse();
                assertThat(L2Entry.compressedHostOffset(entry, clusterBits)).isEqualTo(offset);
                int stored = L2Entry.compressedLengthBytes(entry, clusterBits);
                assertThat(stored).isBetween(length, length + 511);
                assertThat((offset + stored) % 512).isZero();
            }
        }
        assertThat(L2Entry.isCompressible(end - 1, 2, clusterBits)).isFalse();
        assertThat(L2Entry.isCompressible(0, cluster + 1, clusterBits)).isFalse();
    }

    @Test
    @DisplayName("QCOW2 64: a guest offset is taken apart")
    void shouldTakeGuestOffsetApart() {
        Qcow2Geometry geometry = new Qcow2Geometry(16, false);
        assertThat(geometry.l2Entries()).isEqualTo(8192);
        long guest = 5 * geometry.l2CoverBytes() + 17L * 65536 + 99;
        assertThat(geometry.l1Index(guest)).isEqualTo(5);
        assertThat(geometry.l2Index(guest)).isEqualTo(17);
        assertThat(geometry.offsetInCluster(guest)).isEqualTo(99);
        assertThat(geometry.alignUp(65537)).isEqualTo(131072);
        assertThat(geometry.l1EntriesFor(-1L)).isEqualTo(1L << 35);
        Qcow2Geometry extended = new Qcow2Geometry(16, true);
        assertThat(extended.l2Entries()).isEqualTo(4096);
        assertThat(extended.subclusterIndex(2048 * 31 + 5)).isEqualTo(31);
    }
}
