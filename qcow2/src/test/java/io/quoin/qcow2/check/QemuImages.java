package io.quoin.qcow2.check;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Images as QEMU makes them, and what QEMU says of them. */
final class QemuImages {
    /** Of each kind that the format has: options of qemu-img create, then steps. */
    enum Kind {
        V3("", 4),
        V2("compat=0.10", 4),
        CLUSTER_512("cluster_size=512", 1),
        CLUSTER_4K("cluster_size=4k", 2),
        CLUSTER_2M("cluster_size=2M", 64),
        WIDTH_1("refcount_bits=1", 4, "WRITE"),
        WIDTH_2("refcount_bits=2,cluster_size=4k", 4, "WRITE SNAPSHOT WRITE"),
        WIDTH_4("refcount_bits=4", 4, "WRITE SNAPSHOT WRITE"),
        WIDTH_8("refcount_bits=8", 4, "WRITE SNAPSHOT WRITE"),
        WIDTH_32("refcount_bits=32,cluster_size=1k", 1, "WRITE SNAPSHOT WRITE"),
        WIDTH_64("refcount_bits=64", 4, "WRITE SNAPSHOT WRITE"),
        SNAPSHOTS("", 4, "WRITE SNAPSHOT WRITE SNAPSHOT WRITE UNSNAPSHOT"),
        V2_SNAPSHOTS("compat=0.10", 4, "WRITE SNAPSHOT WRITE"),
        COMPRESSED("", 4, "COMPRESS WRITE"),
        COMPRESSED_SNAPSHOT("cluster_size=16k", 4, "COMPRESS SNAPSHOT WRITE"),
        ZSTD("compression_type=zstd", 4, "COMPRESS WRITE"),
        EXTENDED_L2("extended_l2=on,cluster_size=64k", 4, "WRITE SNAPSHOT WRITE"),
        EXTENDED_L2_COMPRESSED("extended_l2=on,cluster_size=16k", 4, "COMPRESS WRITE"),
        LAZY("lazy_refcounts=on", 4),
        BITMAPS("", 4, "BITMAP WRITE BITMAP WRITE"),
        BITMAPS_SNAPSHOT("cluster_size=4k", 2, "BITMAP WRITE SNAPSHOT WRITE"),
        DATA_FILE("data_file=FOLDER/data.raw", 4),
        DATA_FILE_RAW("data_file=FOLDER/data.raw,data_file_raw=on,extended_l2=on", 4),
        PREALLOCATED("preallocation=metadata", 2),
        EMPTY("", 4, "NOTHING");

        final String options;
        final int sizeMib;
        final String steps;

        Kind(String options, int sizeMib) {
            this(options, sizeMib, "WRITE WRITE");
        }

        Kind(String options, int sizeMib, String steps) {
            this.options = options;
            this.sizeMib = sizeMib;
            this.steps = steps;
        }

        long sizeBytes() {
            return (long) sizeMib << 20;
        }
    }

    enum Step {
        NOTHING,
        WRITE,
        COMPRESS,
        SNAPSHOT,
        UNSNAPSHOT,
        BITMAP
    }

    private static final int WRITES = 12;

    private QemuImages() {}

    static Path make(Path folder, Kind kind, Random random) {
        return make(folder, kind, random, List.of());
    }

    static Path make(Path folder, Kind kind, Random random, List<String> createArguments) {
        Path image = folder.resolve(kind + ".qcow2");
        List<String> create = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        create.addAll(createArguments);
        if (!kind.options.isEmpty()) {
            create.addAll(List.of("-o", kind.options.replace("FOLDER", folder.toString())));
        }
        create.addAll(List.of(image.toString(), kind.sizeMib + "M"));
        Peer.QEMU_IMG.command(create).runOk();
        int number = 0;
        for (String step : kind.steps.split(" ", -1)) {
            number++;
            apply(image, kind, Step.valueOf(step), number, random);
        }
        return image;
    }

    private static void apply(Path image, Kind kind, Step step, int number, Random random) {
        String file = image.toString();
        switch (step) {
            case NOTHING -> {}
            case WRITE -> write(image, kind.sizeBytes(), random);
            case COMPRESS -> compress(image, kind.sizeBytes());
            case SNAPSHOT -> Peer.QEMU_IMG.command("snapshot", "-c", "s" + number, file).runOk();
            case UNSNAPSHOT -> Peer.QEMU_IMG.command("snapshot", "-d", "s2", file).runOk();
            case BITMAP -> Peer.QEMU_IMG.command("bitmap", "--add", file, "b" + number).runOk();
        }
    }

    private static void write(Path image, long sizeBytes, Random random) {
        List<String> arguments = new ArrayList<>(List.of("-f", "qcow2", "-d", "unmap"));
        for (int i = 0; i < WRITES; i++) {
            long offset = random.nextLong(sizeBytes / 512) * 512;
            long length = Math.min(sizeBytes - offset, 512L * (1 + random.nextInt(400)));
            String range = offset + " " + length;
            arguments.add("-c");
            arguments.add(
                    switch (random.nextInt(8)) {
                        case 0 -> "write -z " + range;
                        case 1 -> "write -z -u " + range;
                        case 2 -> "discard " + range;
                        default -> "write -P " + (1 + random.nextInt(255)) + " " + range;
                    });
        }
        arguments.add(image.toString());
        Peer.QEMU_IO.command(arguments).runOk();
    }

    private static void compress(Path image, long sizeBytes) {
        List<String> arguments = new ArrayList<>(List.of("-f", "qcow2"));
        for (long offset = 0; offset < sizeBytes / 2; offset += 192 << 10) {
            arguments.add("-c");
            arguments.add("write -c -P " + (1 + offset / 65536) + " " + offset + " 64k");
        }
        arguments.add(image.toString());
        Peer.QEMU_IO.command(arguments).runOk();
    }

    /** The numbers of {@code qemu-img check --output=json}; what it leaves out is 0. */
    static Map<String, Long> check(Path image, String... arguments) {
        List<String> command = new ArrayList<>(List.of("check", "-f", "qcow2", "--output=json"));
        command.addAll(List.of(arguments));
        command.add(image.toString());
        PeerResult result = Peer.QEMU_IMG.command(command).run();
        Map<String, Long> numbers = new TreeMap<>();
        for (String name : new CheckResult(0, 0, 0, 0, 0, 0, 0, 0, 0, 0).toMap().keySet()) {
            numbers.put(name, 0L);
        }
        Matcher matcher = Pattern.compile("\"([a-z-]+)\": (\\d+)").matcher(result.stdout());
        while (matcher.find()) {
            numbers.put(matcher.group(1), Long.valueOf(matcher.group(2)));
        }
        numbers.put("exit", (long) result.exitCode());
        return numbers;
    }
}
