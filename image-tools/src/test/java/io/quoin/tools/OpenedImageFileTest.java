package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.qcow2.file.ImageFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes of an image's file as tools read and write them, through the graph. */
@Timeout(60)
class OpenedImageFileTest {
    private static final int SIZE_BYTES = (3 << 20) + 100;
    private static final long SEED = Long.getLong("quoin.seed", new Random().nextLong());

    @TempDir private Path folder;

    private final byte[] content = new byte[SIZE_BYTES];
    private Path path;

    @BeforeEach
    void make() throws IOException {
        System.out.println("seed: -Dquoin.seed=" + SEED);
        new Random(SEED).nextBytes(content);
        path = Files.write(folder.toRealPath().resolve("disk.qcow2"), content);
    }

    private static byte[] read(ImageFile file, long at, ByteBuffer target) throws IOException {
        target.position(3);
        file.read(at, target);
        assertThat(target.hasRemaining()).isFalse();
        byte[] bytes = new byte[target.limit() - 3];
        target.get(3, bytes);
        return bytes;
    }

    private byte[] expected(int at, int lengthBytes) {
        byte[] present = Arrays.copyOfRange(content, Math.min(at, SIZE_BYTES), SIZE_BYTES);
        return Arrays.copyOf(present, lengthBytes);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldReadAnyRangeWithZerosBehindTheEnd(boolean direct) throws IOException {
        int length = 1_500_000;
        ByteBuffer target =
                direct ? ByteBuffer.allocateDirect(length + 3) : ByteBuffer.allocate(length + 3);
        try (ImageSession session = new ImageSession();
                ImageFile file = session.direct(path, false)) {
            assertThat(file.sizeBytes()).isEqualTo(SIZE_BYTES);
            for (int at : new int[] {0, 7, SIZE_BYTES - 5, SIZE_BYTES, 2 << 20, SIZE_BYTES + 9}) {
                assertThat(read(file, at, target.clear()))
                        .as("at=%d", at)
                        .isEqualTo(expected(at, length));
            }
        }
    }

    @Test
    void shouldGrowAndBeCut() throws IOException {
        byte[] added = Arrays.copyOf(content, 1_200_000);
        try (ImageSession session = new ImageSession();
                ImageFile file = session.direct(path, true)) {
            file.write(SIZE_BYTES + 50L, ByteBuffer.wrap(added));
            file.flush();
            assertThat(file.sizeBytes()).isEqualTo(SIZE_BYTES + 50L + added.length);
            ByteBuffer target = ByteBuffer.allocate(added.length + 3);
            assertThat(read(file, SIZE_BYTES + 50L, target)).isEqualTo(added);
            file.truncate(1000);
            file.truncate(5000);
            assertThat(file.sizeBytes()).isEqualTo(1000);
            target = ByteBuffer.allocate(2003);
            assertThat(read(file, 0, target))
                    .isEqualTo(Arrays.copyOf(Arrays.copyOf(content, 1000), 2000));
        }
        assertThat(path).hasSize(1000);
    }

    @Test
    void shouldAnswerSeveralThreads() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (ImageSession session = new ImageSession();
                ImageFile file = session.beside(path)) {
            List<Future<?>> readers = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                Random random = new Random(SEED + thread);
                readers.add(
                        threads.submit(
                                () -> {
                                    for (int i = 0; i < 200; i++) {
                                        int at = random.nextInt(SIZE_BYTES);
                                        int length = 1 + random.nextInt(100_000);
                                        ByteBuffer target = ByteBuffer.allocate(length + 3);
                                        assertThat(read(file, at, target))
                                                .isEqualTo(expected(at, length));
                                    }
                                    return null;
                                }));
            }
            for (Future<?> reader : readers) {
                reader.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 70_000})
    void shouldReadPiecesFromSeveralPlacesInOneCall(int pieceBytes) throws IOException {
        long[] places = {7, 3L * pieceBytes, 4L * pieceBytes, 0, 5L * pieceBytes, pieceBytes};
        ByteBuffer target = ByteBuffer.allocate(3 + places.length * pieceBytes);
        try (ImageSession session = new ImageSession();
                ImageFile file = session.direct(path, false)) {
            for (long last : new long[] {20_000, SIZE_BYTES - pieceBytes, SIZE_BYTES - 10}) {
                places[5] = last;
                target.clear().position(3).limit(3 + 5 * pieceBytes);
                file.readEach(places, 1, 6, pieceBytes, target);
                assertThat(target.hasRemaining()).isFalse();
                for (int i = 0; i < 5; i++) {
                    byte[] piece = new byte[pieceBytes];
                    target.get(3 + i * pieceBytes, piece);
                    assertThat(piece).isEqualTo(expected((int) places[i + 1], pieceBytes));
                }
            }
        }
    }

    @Test
    void shouldEndEveryRequestWhenOneOfSeveralFails() throws IOException {
        FaultyFiles.Fault fault =
                request ->
                        request.op() == IoOp.READ && request.offsetBytes() == 8192
                                ? BlockError.EIO
                                : BlockError.OK;
        long[] places = {0, 4096, 8192, 16384};
        ByteBuffer target = ByteBuffer.allocate(4 * 512);
        try (ImageSession session = FaultyFiles.session("disk.qcow2"::equals, fault);
                ImageFile file = session.direct(path, false)) {
            assertThatThrownBy(() -> file.readEach(places, 0, 4, 512, target))
                    .isInstanceOf(BlockException.class)
                    .hasMessageStartingWith(path + ": read failed: hostOffset=8192, length=512");
            places[2] = 1024;
            file.readEach(places, 0, 4, 512, target.clear());
            byte[] third = new byte[512];
            target.get(1024, third);
            assertThat(third).isEqualTo(expected(1024, 512));
        }
    }

    @Test
    void shouldNameTheFileOnceWhenARequestFails() throws IOException {
        FaultyFiles.Fault fault = FaultyFiles.from(IoOp.READ, 1, request -> BlockError.EIO);
        try (ImageSession session = FaultyFiles.session("disk.qcow2"::equals, fault);
                ImageFile file = session.direct(path, false)) {
            file.read(0, ByteBuffer.allocate(10));
            assertThatThrownBy(() -> file.read(20, ByteBuffer.allocate(10)))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> {
                                assertThat(e.error()).isEqualTo(BlockError.EIO);
                                assertThat(e.about("other")).isSameAs(e);
                            })
                    .hasMessageStartingWith(path + ": read failed: hostOffset=20, length=10");
        }
    }
}
