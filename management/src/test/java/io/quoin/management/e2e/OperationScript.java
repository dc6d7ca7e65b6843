package io.quoin.management.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Random operations on a disk as commands for qemu-io, whose outcome is defined to the byte: a trim
 * is of whole clusters, which then read as zeros, or is followed by a write of the same range.
 */
final class OperationScript {
    private final Random random;
    private final long sizeBytes;
    private final int clusterBytes;
    private final List<Long> hotSpots = new ArrayList<>();

    OperationScript(Random random, long sizeBytes, int clusterBytes) {
        this.random = random;
        this.sizeBytes = sizeBytes;
        this.clusterBytes = clusterBytes;
        long l2CoverBytes = (long) clusterBytes * (clusterBytes / Long.BYTES);
        hotSpots.add(0L);
        hotSpots.add(sizeBytes);
        hotSpots.add(sizeBytes / 2);
        for (long boundary = l2CoverBytes;
                boundary < sizeBytes && hotSpots.size() < 6;
                boundary += l2CoverBytes) {
            hotSpots.add(boundary);
        }
    }

    /** The arguments for one run of qemu-io: about {@code count} operations. */
    List<String> next(int count) {
        List<String> commands = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            operation(commands);
        }
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        return arguments;
    }

    private void operation(List<String> commands) {
        switch (random.nextInt(16)) {
            case 0 -> commands.add("flush");
            case 1, 2 -> commands.add("write -z " + unmapFlag() + range(bytesMax()));
            case 3 -> commands.add("write -z " + unmapFlag() + clusters());
            case 4 -> commands.add("discard " + clusters());
            case 5 -> {
                String range = range(bytesMax());
                commands.add("discard " + range);
                commands.add("write -P " + pattern() + " " + range);
            }
            case 6 -> commands.add("write -f -P " + pattern() + " " + range(bytesMax()));
            case 7 -> concurrent(commands);
            case 8, 9 -> commands.add("read -v " + range(2048));
            case 10 -> commands.add("write -P " + pattern() + " " + clusters());
            default -> commands.add("write -P " + pattern() + " " + range(bytesMax()));
        }
    }

    /** Writes that are on their way at once, of ranges that do not meet but share clusters. */
    private void concurrent(List<String> commands) {
        long start = offset(1);
        for (int i = 0; i < 8; i++) {
            int length = 512 * (1 + random.nextInt(Math.max(1, Math.min(16, clusterBytes / 2048))));
            if (start + length > sizeBytes) {
                break;
            }
            commands.add("aio_write -q -P " + pattern() + " " + start + " " + length);
            start += length + (random.nextBoolean() ? 0 : 512L);
        }
        commands.add("aio_flush");
    }

    private String unmapFlag() {
        return random.nextBoolean() ? "-u " : "";
    }

    private int pattern() {
        return 1 + random.nextInt(255);
    }

    private int bytesMax() {
        return random.nextInt(4) == 0
                ? Math.min(4 * clusterBytes, 3 << 20)
                : Math.max(4096, clusterBytes / 4);
    }

    private String range(int lengthMax) {
        int unit = random.nextInt(3) == 0 ? 1 : 512;
        long offset = offset(unit);
        long length = Math.max(unit, (1 + random.nextInt(lengthMax)) / unit * (long) unit);
        return offset + " " + Math.min(length, sizeBytes - offset);
    }

    private String clusters() {
        long clusters = sizeBytes / clusterBytes;
        long first = Math.min(clusters - 1, offset(1) / clusterBytes);
        long count = Math.min(clusters - first, 1 + random.nextInt(clusterBytes > 65536 ? 3 : 12));
        return first * clusterBytes + " " + count * clusterBytes;
    }

    /** Near a place where something ends: the disk, an L2 table; so that operations meet. */
    private long offset(int unit) {
        long spread = Math.max(32L << 10, 6L * clusterBytes);
        long at =
                hotSpots.get(random.nextInt(hotSpots.size()))
                        + random.nextLong(2 * spread)
                        - spread;
        return Math.max(0, Math.min(at, sizeBytes - 512)) / unit * unit;
    }
}
