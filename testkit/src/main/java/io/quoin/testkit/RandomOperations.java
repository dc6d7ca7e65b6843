package io.quoin.testkit;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Operations drawn from a seed for a device of a given geometry: mostly small ranges, some at the
 * very start and end, some long, all within the device and its units.
 *
 * <p>Threading: confined to the test.
 */
public final class RandomOperations {
    private final Random random;
    private final Geometry geometry;
    private final Capabilities capabilities;
    private final int lengthMax;

    /** Prints the seed, so that a failure can be repeated. */
    public RandomOperations(long seed, Geometry geometry, Capabilities capabilities) {
        this(seed, geometry, capabilities, 1 << 18);
    }

    /**
     * @param lengthMax the longest range in bytes
     */
    public RandomOperations(
            long seed, Geometry geometry, Capabilities capabilities, int lengthMax) {
        this.random = new Random(seed);
        this.geometry = geometry;
        this.capabilities = capabilities;
        this.lengthMax = Math.min(lengthMax, geometry.transferBytesMax());
        printSeed(seed);
    }

    /** A seed for this run: the system property {@code quoin.seed}, or a new one. */
    public static long seed() {
        Long given = Long.getLong("quoin.seed");
        return given != null ? given : new Random().nextInt(Integer.MAX_VALUE);
    }

    @SuppressWarnings("SystemOut") // the seed belongs in the test's output
    private static void printSeed(long seed) {
        System.out.println("random operations: seed=" + seed + " (repeat with -Dquoin.seed)");
    }

    /** The next {@code count} of them. */
    public List<Operation> next(int count) {
        List<Operation> operations = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            operations.add(next());
        }
        return operations;
    }

    public Operation next() {
        IoOp op = drawOp();
        if (op == IoOp.FLUSH) {
            return new Operation(op, 0, 0, IoFlags.NONE, 0);
        }
        int unit = geometry.blockSizeMin();
        long units = geometry.sizeBytes() / unit;
        long lengthUnits = Math.min(units, drawLength());
        long start =
                switch (random.nextInt(16)) {
                    case 0 -> 0;
                    case 1 -> units - lengthUnits;
                    default -> random.nextLong(units - lengthUnits + 1);
                };
        int length = Math.toIntExact(lengthUnits * unit);
        return new Operation(op, start * unit, length, drawFlags(op), random.nextLong());
    }

    private IoOp drawOp() {
        int drawn = random.nextInt(100);
        if (!capabilities.canWrite()) {
            return drawn < 80 ? IoOp.READ : IoOp.BLOCK_STATUS;
        }
        if (drawn < 40) {
            return IoOp.WRITE;
        }
        if (drawn < 65) {
            return IoOp.READ;
        }
        if (drawn < 78) {
            return IoOp.WRITE_ZEROES;
        }
        if (drawn < 88) {
            return capabilities.canDiscard() ? IoOp.DISCARD : IoOp.WRITE;
        }
        if (drawn < 94) {
            return IoOp.BLOCK_STATUS;
        }
        return drawn < 98 ? IoOp.FLUSH : IoOp.CACHE;
    }

    /** In units: half of them short, the rest of any magnitude. */
    private long drawLength() {
        int unitsMax = Math.max(1, lengthMax / geometry.blockSizeMin());
        int magnitude =
                1 + random.nextInt(Math.max(1, 32 - Integer.numberOfLeadingZeros(unitsMax)));
        long drawn = 1L + random.nextInt(1 << Math.min(30, magnitude));
        return Math.min(unitsMax, drawn);
    }

    private int drawFlags(IoOp op) {
        int flags = IoFlags.NONE;
        if (op.changesData() && capabilities.canFua() && random.nextInt(8) == 0) {
            flags |= IoFlags.FUA;
        }
        if (op == IoOp.WRITE_ZEROES) {
            flags |= random.nextBoolean() ? IoFlags.MAY_UNMAP : 0;
            flags |= capabilities.canFastZero() && random.nextInt(4) == 0 ? IoFlags.FAST_ZERO : 0;
        }
        return flags;
    }

    /**
     * One operation.
     *
     * <p>Threading: immutable.
     *
     * @param dataSeed what the data of a WRITE is drawn from
     */
    public record Operation(IoOp op, long offsetBytes, int lengthBytes, int flags, long dataSeed) {
        /** The data of a WRITE. */
        public byte[] data() {
            byte[] data = new byte[lengthBytes];
            new Random(dataSeed).nextBytes(data);
            return data;
        }

        /** Whether both cannot be in flight at once without a doubt about the result. */
        boolean overlaps(Operation other) {
            return offsetBytes < other.offsetBytes + other.lengthBytes
                    && other.offsetBytes < offsetBytes + lengthBytes
                    && (op.changesData() || other.op.changesData());
        }
    }
}
