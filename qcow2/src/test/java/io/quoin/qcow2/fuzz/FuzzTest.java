package io.quoin.qcow2.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.compress.CodecFuzz;
import io.quoin.qcow2.hostile.Gallery;
import io.quoin.qcow2.hostile.HostileImage;
import io.quoin.qcow2.hostile.SmallImage;
import io.quoin.testkit.log.LogsErrors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Replays what fuzzing has found worth keeping, and with {@code -Dquoin.fuzz.seconds=N} fuzzes each
 * target for so long, guided by coverage.
 */
@LogsErrors("image is corrupt: ")
class FuzzTest {
    private static final long SECONDS = Long.getLong("quoin.fuzz.seconds", 0);
    private static final int IMAGE_PATCHES_MAX = 40;
    private static final int HOSTILE_SEEDS_SKIPPED = 7;
    private static final String DRIVER = "com.code_intelligence.jazzer.Jazzer";

    @TempDir Path folder;

    enum Fuzz {
        HEADER(HeaderFuzz.class),
        SNAPSHOT_TABLE(SnapshotTableFuzz.class),
        BITMAP_DIRECTORY(BitmapDirectoryFuzz.class),
        CODEC(CodecFuzz.class),
        IMAGE(ImageFuzz.class),
        REPAIR(RepairFuzz.class);

        final Class<?> type;

        Fuzz(Class<?> type) {
            this.type = type;
        }

        void run(byte[] data) throws Exception {
            switch (this) {
                case HEADER -> HeaderFuzz.fuzzerTestOneInput(data);
                case SNAPSHOT_TABLE -> SnapshotTableFuzz.fuzzerTestOneInput(data);
                case BITMAP_DIRECTORY -> BitmapDirectoryFuzz.fuzzerTestOneInput(data);
                case CODEC -> CodecFuzz.fuzzerTestOneInput(data);
                case IMAGE -> ImageFuzz.fuzzerTestOneInput(data);
                case REPAIR -> RepairFuzz.fuzzerTestOneInput(data);
            }
        }

        String corpusName() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + ".corpus";
        }
    }

    @ParameterizedTest
    @EnumSource(Fuzz.class)
    @Timeout(120)
    @DisplayName("QCOW2 154: the corpus ends cleanly")
    void shouldEndCleanlyWhenTheCorpusIsReplayed(Fuzz fuzz) throws Exception {
        List<byte[]> corpus = corpus(fuzz);
        if (fuzz == Fuzz.IMAGE) {
            // Most seeds are hostile images, which have a test of their own.
            for (int i = 0; i < corpus.size(); i++) {
                corpus.subList(i, Math.min(corpus.size(), i + HOSTILE_SEEDS_SKIPPED)).clear();
            }
            corpus.addAll(stored(fuzz));
        }
        System.out.println("corpus of " + fuzz + ": " + corpus.size());
        assertThat(corpus).isNotEmpty();
        for (byte[] data : corpus) {
            try {
                fuzz.run(data);
            } catch (Throwable e) {
                throw new AssertionError(
                        fuzz + " with " + Base64.getEncoder().encodeToString(data), e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Fuzz.class)
    @Timeout(value = 2, unit = TimeUnit.HOURS)
    @EnabledIfSystemProperty(named = "quoin.fuzz.seconds", matches = "[1-9][0-9]*")
    void shouldFindNothingWhenFuzzed(Fuzz fuzz) throws Exception {
        Path corpus = Path.of("target", "fuzz", fuzz.name()).toAbsolutePath();
        Files.createDirectories(corpus);
        int number = 0;
        for (byte[] data : corpus(fuzz)) {
            Files.write(corpus.resolve("seed-" + number++), data);
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of(System.getProperty("quoin.root"), "bin", "jvm.options"));
        command.addAll(List.of("-Xmx768m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), DRIVER));
        command.add("--target_class=" + fuzz.type.getName());
        command.add("--instrumentation_includes=io.quoin.qcow2.**");
        command.addAll(List.of("-timeout=10", "-rss_limit_mb=4096", "-max_len=4096"));
        command.add("-max_total_time=" + SECONDS);
        command.add("-artifact_prefix=" + corpus.getParent() + "/" + fuzz + "-");
        command.add(corpus.toString());
        Path log = corpus.getParent().resolve(fuzz + ".log");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        int exitCode = process.waitFor();
        List<String> lines = Files.readAllLines(log);
        int shown = Math.max(0, lines.size() - 40);
        String end = String.join("\n", lines.subList(shown, lines.size()));
        assertThat(exitCode).as("%s: %s", fuzz, end).isZero();
        System.out.println(fuzz + ": " + lines.get(lines.size() - 1));
    }

    /** Seeds from the hostile images, and what is stored beside this class, a line each. */
    private static List<byte[]> corpus(Fuzz fuzz) throws IOException {
        List<byte[]> corpus = new ArrayList<>();
        switch (fuzz) {
            case HEADER -> {
                for (HostileImage image : Gallery.all()) {
                    corpus.add(start(image.image().get(), 0, 400));
                }
            }
            case SNAPSHOT_TABLE -> {
                SmallImage image = SmallImage.withSnapshot();
                corpus.add(start(image, image.snapshotTable(), 64));
            }
            case BITMAP_DIRECTORY -> {
                SmallImage image = SmallImage.withBitmap();
                corpus.add(start(image, image.bitmapDirectory(), 32));
            }
            case CODEC -> {
                SmallImage deflate = SmallImage.withCompressed();
                corpus.add(codec(0, deflate));
                corpus.add(codec(1, SmallImage.withZstd()));
            }
            default -> addPatches(corpus);
        }
        corpus.addAll(stored(fuzz));
        return corpus;
    }

    private static byte[] codec(int kind, SmallImage image) {
        byte[] data = start(image, 8 << 12, 64);
        data[0] = (byte) (kind | 3 << 1);
        return data;
    }

    private static byte[] start(SmallImage image, int from, int length) {
        byte[] bytes = image.toArray();
        byte[] data = new byte[1 + length];
        data[0] = 17;
        System.arraycopy(
                bytes,
                Math.min(from, bytes.length),
                data,
                1,
                Math.max(0, Math.min(length, bytes.length - from)));
        return data;
    }

    /** The hostile images as patches of the image that they differ from least. */
    private static void addPatches(List<byte[]> corpus) {
        List<byte[]> kinds = new ArrayList<>();
        for (int kind = 0; kind < 8; kind++) {
            kinds.add(PatchedImage.of(new byte[] {(byte) kind}).toArray());
        }
        for (HostileImage hostile : Gallery.all()) {
            byte[] after = hostile.image().get().toArray();
            byte[] least = new byte[0];
            for (int kind = 0; kind < kinds.size(); kind++) {
                byte[] before = kinds.get(kind);
                byte[] patches = patches(kind, before, after);
                boolean same = before.length == after.length && before.length == 1 << 16;
                if (same && patches.length > 1) {
                    least = least.length == 0 || patches.length < least.length ? patches : least;
                }
            }
            if (least.length > 0) {
                corpus.add(least);
            }
        }
    }

    private static byte[] patches(int kind, byte[] before, byte[] after) {
        ByteBuffer patches = ByteBuffer.allocate(1 + 10 * IMAGE_PATCHES_MAX);
        patches.put((byte) kind);
        int end = Math.min(before.length, after.length);
        for (int at = 0; at + 8 <= end; at += 8) {
            if (!Arrays.equals(before, at, at + 8, after, at, at + 8)) {
                if (patches.remaining() < 10) {
                    return new byte[0];
                }
                patches.putShort((short) at).put(after, at, 8);
            }
        }
        return Arrays.copyOf(patches.array(), patches.position());
    }

    private static List<byte[]> stored(Fuzz fuzz) throws IOException {
        try (InputStream in = FuzzTest.class.getResourceAsStream(fuzz.corpusName())) {
            List<byte[]> inputs = new ArrayList<>();
            if (in == null) {
                return inputs;
            }
            BufferedReader reader =
                    new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                inputs.add(Base64.getDecoder().decode(line));
            }
            return inputs;
        }
    }
}
