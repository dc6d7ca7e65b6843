package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.management.brick.BrickOptions;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickClaim;
import io.quoin.replicate.wire.WireOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two gateways and one image, each with links of its own to three bricks: whatever is cut and
 * started anew in between, the one that has opened it last can write, and the other cannot.
 */
@Tag("e2e")
@Timeout(600)
class TwoGatewaysTest {
    private static final int DUELS = Integer.getInteger("quoin.duels", 5);
    private static final int TAKE_OVERS = 2;
    private static final int BRICKS = 3;
    private static final int BLOCKS = 64;
    private static final long LIMIT_SECONDS = 120;

    @TempDir Path folder;

    private final long seed = Long.getLong("quoin.seed", System.nanoTime());
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void tearDown() {
        threads.shutdownNow();
    }

    @Test
    void shouldLetTheLastOneWriteAloneWhateverIsCutInBetween() throws Exception {
        System.out.println("TwoGatewaysTest: duels=" + DUELS + ", -Dquoin.seed=" + seed);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < DUELS; i++) {
            Path own = Files.createDirectory(folder.resolve("duel-" + i));
            long duelSeed = seed + i;
            running.add(
                    threads.submit(
                            () -> {
                                try (Duel duel = new Duel(own, duelSeed)) {
                                    duel.run();
                                }
                                return null;
                            }));
        }
        for (Future<?> each : running) {
            each.get(10, TimeUnit.MINUTES);
        }
    }

    /** Three bricks, and two sides with a gateway each at most. */
    private static final class Duel implements AutoCloseable {
        private final Path folder;
        private final Random random;
        private final UUID volume = UUID.randomUUID();
        private final List<BrickDaemon> daemons = new ArrayList<>();
        private final List<List<CutProxy>> links = List.of(new ArrayList<>(), new ArrayList<>());
        private final List<GraphDisk> gateways = new ArrayList<>();
        private final long[] content = new long[BLOCKS];
        private long lastValue;

        Duel(Path folder, long seed) throws IOException {
            this.folder = folder;
            this.random = new Random(seed);
            for (int brick = 0; brick < BRICKS; brick++) {
                Files.createDirectory(folder(brick));
                daemons.add(daemon(brick));
                BrickAddress address = daemons.get(brick).address();
                BrickClaim.claim(address, WireOptions.local(), volume, brick, Layout.THREE);
                for (List<CutProxy> side : links) {
                    CutProxy proxy = new CutProxy();
                    proxy.setTarget(address.port());
                    side.add(proxy);
                }
            }
        }

        private Path folder(int brick) {
            return folder.resolve("b" + brick);
        }

        private BrickDaemon daemon(int brick) {
            return BrickDaemon.start(
                    new BrickOptions(
                            folder(brick),
                            new BrickAddress("127.0.0.1", 0),
                            WireOptions.local(),
                            Duration.ofSeconds(10),
                            Duration.ofSeconds(30)));
        }

        private GraphDisk gateway(int side) {
            StringBuilder text = new StringBuilder();
            for (int brick = 0; brick < BRICKS; brick++) {
                text.append("volume c")
                        .append(brick)
                        .append("\n    type protocol/client\n    option remote-host 127.0.0.1\n")
                        .append("    option remote-port ")
                        .append(links.get(side).get(brick).port())
                        .append("\n    option volume-id ")
                        .append(volume)
                        .append("\n    option brick-index ")
                        .append(brick)
                        .append("\nend-volume\n");
            }
            text.append("volume r\n    type cluster/replicate\n    option layout replica-3\n")
                    .append("    option volume-id ")
                    .append(volume)
                    .append("\n    subvolumes c0 c1 c2\nend-volume\n");
            GraphDisk gateway = new GraphDisk(text.toString(), folder);
            gateways.add(gateway);
            return gateway;
        }

        void run() throws Exception {
            int side = random.nextInt(2);
            GraphDisk owner = gateway(side);
            owner.create((long) BLOCKS * GraphDisk.BLOCK_BYTES);
            owner.open();
            for (int i = 0; i < TAKE_OVERS; i++) {
                owner = takenOver(owner, side);
                side = 1 - side;
            }
            refusedMeanwhile(owner, 1 - side);
            readAll(owner);
            owner.closeFile();
            owner.closeGraph();
            gateways.remove(owner);
            GraphDisk last = gateway(1 - side);
            last.open();
            readAll(last);
            last.closeFile();
            last.closeGraph();
            gateways.remove(last);
            requireSame();
        }

        /** The other one opens while this one is cut off; then they see each other's bricks. */
        private GraphDisk takenOver(GraphDisk owner, int side) throws Exception {
            write(owner);
            cut(side);
            int block = random.nextInt(BLOCKS);
            long value = ++lastValue;
            CompletableFuture<GraphDisk.Answer> before = owner.write(block, value);
            restartPerhaps();
            GraphDisk next = openedLater(1 - side);
            long kept = next.read(block).get(LIMIT_SECONDS, TimeUnit.SECONDS).value();
            assertThat(kept).as("what was under way is there or not").isIn(value, content[block]);
            content[block] = kept;
            write(next);
            CompletableFuture<GraphDisk.Answer> lateWrite = owner.write(block, ++lastValue);
            CompletableFuture<GraphDisk.Answer> lateRead = owner.read(block);
            write(next);
            if (random.nextBoolean()) {
                restartPerhaps();
            }
            links.get(side).forEach(CutProxy::join);
            assertThat(end(lateWrite)).as("write of the one before").isEqualTo(BlockError.EBADE);
            assertThat(end(lateRead)).as("read of the one before").isEqualTo(BlockError.EBADE);
            end(before);
            write(next);
            readAll(next);
            assertThat(end(owner.write(0, ++lastValue))).isEqualTo(BlockError.EBADE);
            readAll(next);
            return next;
        }

        private static BlockError end(CompletableFuture<GraphDisk.Answer> request)
                throws Exception {
            return request.get(LIMIT_SECONDS, TimeUnit.SECONDS).error();
        }

        /** All links of a side one way or both ways, or those to a majority. */
        private void cut(int side) {
            int kind = random.nextInt(3);
            int spared = random.nextInt(2 * BRICKS);
            for (int brick = 0; brick < BRICKS; brick++) {
                if (brick == spared) {
                    continue;
                }
                CutProxy proxy = links.get(side).get(brick);
                if (kind != 0) {
                    proxy.cut(CutProxy.Direction.TO_BRICK);
                }
                if (kind != 1) {
                    proxy.cut(CutProxy.Direction.FROM_BRICK);
                }
            }
        }

        private void restartPerhaps() {
            int brick = random.nextInt(2 * BRICKS);
            if (brick < BRICKS) {
                daemons.get(brick).close();
                daemons.set(brick, daemon(brick));
                int port = daemons.get(brick).address().port();
                links.forEach(side -> side.get(brick).setTarget(port));
            }
        }

        private GraphDisk openedLater(int side) throws InterruptedException {
            GraphDisk next = gateway(side);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
            while (true) {
                try {
                    next.open();
                    return next;
                } catch (BlockException notYet) {
                    assertThat(notYet.error())
                            .isIn(BlockError.EBUSY, BlockError.EBADE, BlockError.ENOTCONN);
                    assertThat(System.nanoTime()).as("opened at last").isLessThan(end);
                    Thread.sleep(100);
                }
            }
        }

        /** While the owner is there and well no other opens it, and it goes on. */
        private void refusedMeanwhile(GraphDisk owner, int side) throws Exception {
            GraphDisk other = gateway(side);
            Future<BlockError> refused =
                    CompletableFuture.supplyAsync(
                            () -> {
                                try {
                                    other.open();
                                    return BlockError.OK;
                                } catch (BlockException e) {
                                    return e.error();
                                }
                            });
            while (!refused.isDone()) {
                write(owner);
                Thread.sleep(100);
            }
            assertThat(refused.get()).isEqualTo(BlockError.EBUSY);
            write(owner);
        }

        private void write(GraphDisk owner) throws Exception {
            int block = random.nextInt(BLOCKS);
            long value = ++lastValue;
            assertThat(end(owner.write(block, value))).isEqualTo(BlockError.OK);
            content[block] = value;
        }

        private void readAll(GraphDisk owner) throws Exception {
            for (int block = 0; block < BLOCKS; block++) {
                GraphDisk.Answer answer = owner.read(block).get(LIMIT_SECONDS, TimeUnit.SECONDS);
                assertThat(answer.error()).isEqualTo(BlockError.OK);
                assertThat(answer.value()).as("block %s", block).isEqualTo(content[block]);
            }
        }

        private void requireSame() throws IOException {
            for (int brick = 1; brick < BRICKS; brick++) {
                for (Path file : ReplicaBrick.dataFiles(folder(0))) {
                    assertThat(folder(brick).resolve(file.getFileName()))
                            .hasSameBinaryContentAs(file);
                }
            }
        }

        @Override
        public void close() throws IOException {
            gateways.forEach(GraphDisk::close);
            for (List<CutProxy> side : links) {
                for (CutProxy proxy : side) {
                    proxy.close();
                }
            }
            daemons.forEach(BrickDaemon::close);
        }
    }
}
