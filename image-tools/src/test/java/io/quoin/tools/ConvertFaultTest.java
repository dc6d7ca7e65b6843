package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.tools.FaultyFiles.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Conversions whose source or target fails: they end with an error that names the image, and what
 * was there before is all that is there.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = ThreadMode.SEPARATE_THREAD)
@LogsErrors({
    "fault of the test",
    "image refuses writes from now on: ",
    "file closed with requests in flight",
    "event executor terminated"
})
class ConvertFaultTest {
    private static final int SIZE_BYTES = 12 << 20;
    private static final String PRESENT = "what was there before";
    private static final Predicate<String> TARGET = name -> name.contains("quoin-new");
    private static final Predicate<String> SOURCE = TARGET.negate();

    @TempDir private Path folder;

    /** From which format to which. */
    private record Formats(String source, String target, boolean compressed) {
        @Override
        public String toString() {
            return source + " to " + (compressed ? "compressed " : "") + target;
        }
    }

    /** How one of the two fails. */
    private record Failure(String name, boolean ofSource, IoOp op, int passed, Fault fault) {
        @Override
        public String toString() {
            return name
                    + " at "
                    + op
                    + " number "
                    + passed
                    + " of the "
                    + (ofSource ? "source" : "target");
        }
    }

    private static final List<Formats> FORMATS =
            List.of(
                    new Formats("raw", "raw", false),
                    new Formats("raw", "qcow2", false),
                    new Formats("qcow2", "raw", false),
                    new Formats("qcow2", "qcow2", true),
                    new Formats("packed", "qcow2", false));

    static Stream<Object[]> failures() {
        Fault exception =
                request -> {
                    throw new IllegalStateException("fault of the test");
                };
        Fault error =
                request -> {
                    throw new StackOverflowError("fault of the test");
                };
        Stream.Builder<Failure> failures = Stream.builder();
        for (int passed : new int[] {0, 3}) {
            failures.add(new Failure("exception", true, IoOp.READ, passed, exception));
            failures.add(new Failure("EIO", true, IoOp.READ, passed, r -> BlockError.EIO));
        }
        failures.add(new Failure("error", true, IoOp.READ, 2, error));
        failures.add(new Failure("exception", true, IoOp.BLOCK_STATUS, 0, exception));
        failures.add(new Failure("EIO", true, IoOp.BLOCK_STATUS, 0, r -> BlockError.EIO));
        for (int passed : new int[] {0, 1, 5}) {
            failures.add(new Failure("exception", false, IoOp.WRITE, passed, exception));
            failures.add(new Failure("ENOSPC", false, IoOp.WRITE, passed, r -> BlockError.ENOSPC));
        }
        failures.add(new Failure("error", false, IoOp.WRITE, 4, error));
        failures.add(new Failure("exception", false, IoOp.FLUSH, 0, exception));
        failures.add(new Failure("EIO", false, IoOp.FLUSH, 0, r -> BlockError.EIO));
        List<Failure> all = failures.build().toList();
        return FORMATS.stream()
                .flatMap(formats -> all.stream().map(failure -> new Object[] {formats, failure}));
    }

    @BeforeEach
    void makeSources() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        byte[] content = new byte[SIZE_BYTES];
        Random random = new Random(5);
        for (int at = 0; at + (1 << 20) < SIZE_BYTES; at += 3 << 19) {
            byte[] part = new byte[1 << 20];
            random.nextBytes(part);
            Arrays.fill(part, 0, 1 << 19, (byte) (1 + at));
            System.arraycopy(part, 0, content, at, part.length);
        }
        Files.write(folder.resolve("source.raw"), content);
        qemuImg("convert", "-O", "qcow2", "source.raw", "source.qcow2");
        qemuImg("convert", "-c", "-O", "qcow2", "source.raw", "packed.qcow2");
    }

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private LocalImage source(Formats formats) {
        return switch (formats.source) {
            case "raw" -> new LocalImage(folder.resolve("source.raw"), ImageFormat.RAW);
            case "packed" -> new LocalImage(folder.resolve("packed.qcow2"), ImageFormat.QCOW2);
            default -> new LocalImage(folder.resolve("source.qcow2"), ImageFormat.QCOW2);
        };
    }

    private LocalImage target(Formats formats) {
        return new LocalImage(
                folder.resolve("target." + formats.target),
                formats.target.equals("raw") ? ImageFormat.RAW : ImageFormat.QCOW2);
    }

    private static void convert(
            ImageSession opened, Formats formats, LocalImage from, LocalImage to) {
        ConvertOptions options = ConvertOptions.defaults();
        try (ImageSession session = opened) {
            new Convert(
                            session,
                            formats.compressed ? options.withCompression() : options,
                            (done, total) -> {})
                    .run(from, to);
        }
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("failures")
    void shouldEndWithAnErrorAndLeaveNothingWhenAFileFails(Formats formats, Failure failure)
            throws IOException {
        LocalImage from = source(formats);
        LocalImage to = target(formats);
        Files.writeString(to.path(), PRESENT);
        byte[] before = Files.readAllBytes(from.path());
        boolean[] happened = {false};
        Fault fault =
                FaultyFiles.from(
                        failure.op,
                        failure.passed,
                        request -> {
                            happened[0] = true;
                            return failure.fault.of(request);
                        });
        ImageSession session = FaultyFiles.session(failure.ofSource ? SOURCE : TARGET, fault);
        String named = String.valueOf((failure.ofSource ? from : to).path().getFileName());
        try {
            convert(session, formats, from, to);
        } catch (BlockException e) {
            assertThat(happened[0]).as("%s", e).isTrue();
            assertThat(e).hasMessageContaining(named);
            assertThat(to.path()).hasContent(PRESENT);
            assertNothingElse(before, from, to);
            return;
        }
        // There was no such request.
        assertThat(happened[0]).isFalse();
        assertNothingElse(before, from, to);
    }

    private void assertNothingElse(byte[] before, LocalImage from, LocalImage to)
            throws IOException {
        assertThat(Arrays.equals(Files.readAllBytes(from.path()), before)).isTrue();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder(
                            "source.raw",
                            "source.qcow2",
                            "packed.qcow2",
                            String.valueOf(to.path().getFileName()));
        }
    }

    /** Reads that come back short: the file ends where it did not before. */
    @Test
    void shouldSayWhichImageAndWhereWhenTheSourceIsCutMeanwhile() throws IOException {
        for (Formats formats : FORMATS) {
            makeSources();
            LocalImage from = source(formats);
            long cutBytes = Files.size(from.path()) / 3;
            Fault cut =
                    FaultyFiles.from(
                            IoOp.READ,
                            2,
                            request -> {
                                truncate(from.path(), cutBytes);
                                return BlockError.OK;
                            });
            assertThatThrownBy(
                            () ->
                                    convert(
                                            FaultyFiles.session(SOURCE, cut),
                                            formats,
                                            from,
                                            target(formats)))
                    .as("%s", formats)
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining(from.text())
                    .hasMessageContaining("offset=");
            assertThat(target(formats).path()).doesNotExist();
        }
    }

    private static void truncate(Path path, long sizeBytes) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.truncate(sizeBytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
