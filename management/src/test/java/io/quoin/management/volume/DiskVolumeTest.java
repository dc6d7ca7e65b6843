package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DiskVolumeTest {
    private static final int ROUNDS = 50;
    private static final int DISKS = 8;

    @TempDir Path path;

    @Test
    void shouldWaitForALookUpOfNamesWhenItIsClosed() {
        DataFolder folder = new DataFolder(path.resolve("data"));
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            for (String name : new String[] {"vm1", "vm2", "vm3"}) {
                volume.disks().create(name, 1 << 20, Map.of());
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
                assertThat(volume.disks().knownNames()).isEmpty();
            }
        }
    }

    @Test
    void shouldWaitForListsWhenItIsClosedMeanwhile() {
        DataFolder folder = new DataFolder(path.resolve("data"));
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            for (int i = 0; i < DISKS; i++) {
                volume.disks().create("vm" + i, 1 << 20, Map.of());
            }
        }
        for (int i = 0; i < ROUNDS; i++) {
            CompletableFuture<List<DiskView>> listing;
            try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
                CountDownLatch started = new CountDownLatch(1);
                listing =
                        CompletableFuture.supplyAsync(
                                () -> {
                                    started.countDown();
                                    return volume.disks().list();
                                });
                assertThat(started).satisfies(CountDownLatch::await);
            }
            BlockException refusal =
                    listing.handle((disks, failure) -> failure)
                            .thenApply(f -> f == null ? null : Stages.asBlockException(f))
                            .join();
            if (refusal == null) {
                assertThat(listing.join()).hasSize(DISKS);
            } else {
                assertThat(refusal.error()).isEqualTo(BlockError.ESHUTDOWN);
            }
        }
    }

    @Test
    void shouldCloseTheFileWhenItsDetailsCannotBeTold() {
        MemoryXlator brick = new MemoryXlator("brick");
        brick.put("vm1", new byte[4096]);
        try (NettyLoopGroup loops = new NettyLoopGroup(1)) {
            VolumeSpec spec = new VolumeSpec("brick", SilentType.TYPE, Map.of(), List.of());
            Graph graph =
                    Graph.build(
                            Volfile.of(List.of(spec)),
                            new GraphContext(loops, Runnable::run, path),
                            XlatorTypes.of(List.of(new SilentType(brick))));
            try (DiskVolume volume = DiskVolume.of(graph, loops, path)) {
                assertThatThrownBy(() -> volume.info("vm1")).hasMessageContaining("no details");
                assertThat(Stages.await(openAgain(brick, loops.next()))).isNotNull();
            }
        }
    }

    private static CompletionStage<XlatorFile> openAgain(MemoryXlator brick, Loop loop) {
        return CompletableFuture.supplyAsync(
                        () -> brick.open("vm1", OpenOptions.READ_WRITE, loop), loop)
                .thenCompose(Function.identity());
    }

    /**
     * Files that tell no details.
     *
     * <p>Threading: immutable.
     */
    private record SilentType(Xlator below) implements XlatorType {
        private static final String TYPE = "testkit/silent";

        @Override
        public String type() {
            return TYPE;
        }

        @Override
        public OptionTable options() {
            return OptionTable.of();
        }

        @Override
        public int subvolumesMin() {
            return 0;
        }

        @Override
        public int subvolumesMax() {
            return 0;
        }

        @Override
        public Xlator create(
                String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
            return new PassThroughXlator(name, TYPE, below) {
                @Override
                public CompletionStage<XlatorFile> open(
                        String fileName, OpenOptions options, Loop loop) {
                    return subvolume()
                            .open(fileName, options, loop)
                            .thenApply(SilentType::withoutDetails);
                }
            };
        }

        private static XlatorFile withoutDetails(XlatorFile file) {
            return new PassThroughFile(file) {
                @Override
                public Map<String, Object> details() {
                    throw new IllegalStateException("no details");
                }
            };
        }
    }
}
