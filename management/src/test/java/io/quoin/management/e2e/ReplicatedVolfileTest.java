package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.store.BrickHost;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volfiles with replicated volumes, on real folders and real brick daemons. */
@Tag("e2e")
@Timeout(300)
class ReplicatedVolfileTest {
    private static final int SIZE = 16 << 20;
    private static final int PART = 256 << 10;
    private static final long LIMIT_SECONDS = 60;
    private static final long HEAL_SECONDS = 60;

    @TempDir Path folder;

    private final UUID volume = UUID.randomUUID();
    private final NettyLoopGroup loops = new NettyLoopGroup(2);
    private final ExecutorService blocking = Executors.newCachedThreadPool();

    @AfterEach
    void tearDown() {
        loops.close();
        blocking.shutdown();
    }

    private Graph build(String text) {
        return Graph.build(
                Volfile.parse(text, "test.vol"), new GraphContext(loops, blocking, folder));
    }

    private static String node(String name, String type, String options, String subvolumes) {
        StringBuilder text = new StringBuilder();
        text.append("volume ").append(name).append("\n    type ").append(type).append('\n');
        for (String option : options.split(",", -1)) {
            if (!option.isEmpty()) {
                text.append("    option ").append(option).append('\n');
            }
        }
        if (!subvolumes.isEmpty()) {
            text.append("    subvolumes ").append(subvolumes).append('\n');
        }
        return text.append("end-volume\n").toString();
    }

    private static BlockError perform(
            XlatorFile file, Loop loop, boolean isWrite, long offset, UnsafeBuffer memory)
            throws Exception {
        CompletableFuture<BlockError> done = new CompletableFuture<>();
        loop.execute(
                () -> {
                    IoRequest request = new IoRequest();
                    int length = memory.capacity();
                    if (isWrite) {
                        request.write(offset, length, IoFlags.NONE);
                    } else {
                        request.read(offset, length, IoFlags.NONE);
                    }
                    request.memory().add(memory, 0, length);
                    request.push((completed, error) -> done.complete(error));
                    file.submit(request);
                });
        try {
            return done.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    private static byte[] pattern(int seed) {
        byte[] data = new byte[PART];
        new Random(seed).nextBytes(data);
        return data;
    }

    private static void writeAll(XlatorFile file, Loop loop, int seed) throws Exception {
        for (int part = 0; part < SIZE / PART; part++) {
            UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(PART));
            memory.putBytes(0, pattern(seed + part));
            assertThat(perform(file, loop, true, (long) part * PART, memory))
                    .isEqualTo(BlockError.OK);
        }
    }

    private static void expectAll(XlatorFile file, Loop loop, int seed) throws Exception {
        for (int part = 0; part < SIZE / PART; part++) {
            UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(PART));
            assertThat(perform(file, loop, false, (long) part * PART, memory))
                    .isEqualTo(BlockError.OK);
            byte[] found = new byte[PART];
            memory.getBytes(0, found);
            assertThat(Arrays.equals(found, pattern(seed + part))).as("part %s", part).isTrue();
        }
    }

    private static void close(XlatorFile file, Loop loop) throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        loop.execute(
                () ->
                        file.close()
                                .whenComplete(
                                        (none, failure) -> {
                                            if (failure == null) {
                                                closed.complete(null);
                                            } else {
                                                closed.completeExceptionally(failure);
                                            }
                                        }));
        closed.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private static List<Path> dataFiles(Path brick) throws IOException {
        try (Stream<Path> files = Files.list(brick)) {
            return files.filter(file -> file.toString().endsWith(".data")).sorted().toList();
        }
    }

    private static boolean areEqual(List<Path> bricks) throws IOException {
        List<Path> first = dataFiles(bricks.get(0));
        for (Path brick : bricks) {
            List<Path> other = dataFiles(brick);
            if (other.size() != first.size()) {
                return false;
            }
            for (int i = 0; i < first.size(); i++) {
                if (Files.mismatch(first.get(i), other.get(i)) >= 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private String remote(int index, BrickAddress address, UUID brick) {
        return node(
                "c" + index,
                "protocol/client",
                "remote-host 127.0.0.1,remote-port "
                        + address.port()
                        + ",volume-id "
                        + volume
                        + ",brick-index "
                        + index
                        + ",brick-id "
                        + brick,
                "");
    }

    private String replicate(String name, Layout layout, String subvolumes) {
        return node(
                name,
                "cluster/replicate",
                "layout " + layout.text() + ",volume-id " + volume,
                subvolumes);
    }

    @Test
    void shouldHealADaemonThatWasKilledAmidWrites() throws Exception {
        List<Path> folders = new ArrayList<>();
        List<BrickProcess> bricks = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        try {
            for (int i = 0; i < 3; i++) {
                folders.add(Files.createDirectory(folder.resolve("b" + i)));
                BrickProcess brick = BrickProcess.start(folders.get(i), BrickProcess.ANY_PORT);
                bricks.add(brick);
                BrickIdentity identity =
                        BrickClaim.claim(
                                brick.address(), WireOptions.local(), volume, i, Layout.THREE);
                text.append(remote(i, brick.address(), identity.brick()));
            }
            text.append(replicate("r", Layout.THREE, "c0 c1 c2"));
            Graph graph = build(text.toString());
            Loop loop = loops.next();
            Xlator top = graph.top();
            Stages.await(top.create("disk", CreateOptions.ofSize(SIZE)));
            XlatorFile file = Stages.await(top.open("disk", OpenOptions.READ_WRITE, loop));
            writeAll(file, loop, 1);
            bricks.get(1).kill();
            writeAll(file, loop, 1000);
            expectAll(file, loop, 1000);
            bricks.set(1, BrickProcess.start(folders.get(1), bricks.get(1).address()));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(HEAL_SECONDS);
            while (!areEqual(folders) && System.nanoTime() < end) {
                Thread.sleep(200);
            }
            expectAll(file, loop, 1000);
            close(file, loop);
            Stages.await(graph.close());
            assertThat(areEqual(folders)).as("all bricks are the same").isTrue();
        } finally {
            bricks.forEach(BrickProcess::close);
        }
    }

    @Test
    void shouldKeepStripedReplicatedFilesOnFourFoldersWhenMountedAnew() throws Exception {
        StringBuilder text = new StringBuilder();
        List<Path> folders = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            folders.add(Files.createDirectory(folder.resolve("b" + i)));
            String posix = node("b" + i, "storage/posix", "directory " + folders.get(i), "");
            Graph below = build(posix);
            Stages.await(
                    BrickHost.format(
                            below.top(),
                            loops.next(),
                            volume,
                            i % 2,
                            Layout.TWO,
                            BrickHost.LOG_BYTES));
            Stages.await(below.close());
            text.append(posix)
                    .append(
                            node(
                                    "s" + i,
                                    "protocol/local",
                                    "layout replica-2,volume-id "
                                            + volume
                                            + ",brick-index "
                                            + i % 2,
                                    "b" + i));
        }
        text.append(replicate("r0", Layout.TWO, "s0 s1"));
        text.append(replicate("r1", Layout.TWO, "s2 s3"));
        text.append(node("st", "cluster/stripe", "", "r0 r1"));
        Loop loop = loops.next();
        Graph graph = build(text.toString());
        Stages.await(graph.top().create("disk", CreateOptions.ofSize(SIZE)));
        XlatorFile file = Stages.await(graph.top().open("disk", OpenOptions.READ_WRITE, loop));
        writeAll(file, loop, 7);
        close(file, loop);
        Stages.await(graph.close());

        Graph again = build(text.toString());
        XlatorFile reopened = Stages.await(again.top().open("disk", OpenOptions.READ_ONLY, loop));
        expectAll(reopened, loop, 7);
        close(reopened, loop);
        Stages.await(again.close());
        assertThat(areEqual(folders.subList(0, 2))).isTrue();
        assertThat(areEqual(folders.subList(2, 4))).isTrue();
    }
}
