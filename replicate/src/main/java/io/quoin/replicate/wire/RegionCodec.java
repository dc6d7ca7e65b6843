package io.quoin.replicate.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.quoin.replicate.wire.message.Regions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Sets of regions on the wire: as runs, or as bits where these are shorter.
 *
 * <p>Threading: immutable.
 */
final class RegionCodec {
    /** Regions of a file: 64 TiB of 1 MiB each. */
    static final int REGIONS_MAX = 1 << 26;

    private RegionCodec() {}

    static Regions toMessage(BitSet regions) {
        if (regions.length() > REGIONS_MAX) {
            throw new IllegalArgumentException(
                    "too many regions: count=" + regions.length() + ", expected=" + REGIONS_MAX);
        }
        byte[] runs = runs(regions, (regions.length() + Byte.SIZE - 1) / Byte.SIZE);
        return runs != null
                ? Regions.newBuilder().setRuns(ByteString.copyFrom(runs)).build()
                : Regions.newBuilder().setBits(ByteString.copyFrom(regions.toByteArray())).build();
    }

    /** The runs; null if they take more than that. */
    private static byte @Nullable [] runs(BitSet regions, int bytesMax) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        try {
            int end = 0;
            for (int from = regions.nextSetBit(0); from >= 0; from = regions.nextSetBit(end)) {
                if (out.getTotalBytesWritten() > bytesMax) {
                    return null;
                }
                out.writeUInt32NoTag(from - end);
                end = regions.nextClearBit(from);
                out.writeUInt32NoTag(end - from);
            }
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory alone is written
        }
        return bytes.size() > bytesMax ? null : bytes.toByteArray();
    }

    static BitSet fromMessage(Regions regions) {
        return switch (regions.getFormCase()) {
            case RUNS -> fromRuns(regions.getRuns());
            case BITS -> fromBits(regions.getBits());
            case FORM_NOT_SET -> throw new WireException("illegal regions: no form known here");
        };
    }

    private static BitSet fromRuns(ByteString runs) {
        BitSet regions = new BitSet();
        CodedInputStream in = runs.newCodedInput();
        try {
            long end = 0;
            while (!in.isAtEnd()) {
                long from = end + Integer.toUnsignedLong(in.readUInt32());
                end = from + Integer.toUnsignedLong(in.readUInt32());
                require(end);
                regions.set((int) from, (int) end);
            }
        } catch (IOException e) {
            throw new WireException("illegal regions: " + e.getMessage());
        }
        return regions;
    }

    private static BitSet fromBits(ByteString bits) {
        require((long) bits.size() * Byte.SIZE);
        return BitSet.valueOf(bits.toByteArray());
    }

    private static void require(long end) {
        if (end > REGIONS_MAX) {
            throw new WireException("illegal regions: end=" + end + ", expected=" + REGIONS_MAX);
        }
    }
}
