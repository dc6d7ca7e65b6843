package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
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
import io.quoin.xlator.loop.LoopGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A brick in memory that looks at each request of each file before it is carried out: it may fail
 * it, or hold it until it is told.
 */
final class HookedBrick implements XlatorType {
    private static final String TYPE = "testkit/hooked";

    /** What comes of a request. */
    enum Fate {
        PASS,
        NO_SPACE,
        HOLD
    }

    /** Decides, on the loop of the file. */
    interface Hook {
        Fate of(String fileName, IoRequest request);
    }

    final MemoryXlator memory;
    volatile Hook hook = (name, request) -> Fate.PASS;
    final AtomicInteger held = new AtomicInteger();
    private final List<Runnable> heldBack = new ArrayList<>();

    HookedBrick(MemoryXlator memory) {
        this.memory = memory;
    }

    /** Disks in qcow2 images on this brick. */
    DiskVolume volume(LoopGroup loops, Path folder) {
        List<XlatorType> types = new ArrayList<>(XlatorTypes.load().all());
        types.add(this);
        VolumeSpec brick = new VolumeSpec("brick", TYPE, Map.of(), List.of());
        VolumeSpec images = new VolumeSpec("images", "features/qcow2", Map.of(), List.of("brick"));
        VolumeSpec disks =
                new VolumeSpec("disks", "features/snapshot", Map.of(), List.of("images"));
        Graph graph =
                Graph.build(
                        Volfile.of(List.of(brick, images, disks)),
                        new GraphContext(loops, Runnable::run, folder),
                        XlatorTypes.of(types));
        return DiskVolume.of(graph, loops, folder);
    }

    /** Carries out what is held, and holds nothing any more. */
    void letGo() {
        hook = (name, request) -> Fate.PASS;
        List<Runnable> all;
        synchronized (heldBack) {
            all = new ArrayList<>(heldBack);
            heldBack.clear();
        }
        all.forEach(Runnable::run);
    }

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
        return new PassThroughXlator(name, TYPE, memory) {
            @Override
            public CompletionStage<XlatorFile> open(
                    String fileName, OpenOptions options, Loop loop) {
                return subvolume()
                        .open(fileName, options, loop)
                        .thenApply(file -> new HookedFile(file, loop));
            }
        };
    }

    /** One file of it. */
    private final class HookedFile extends PassThroughFile {
        private final Loop loop;

        HookedFile(XlatorFile below, Loop loop) {
            super(below);
            this.loop = loop;
        }

        @Override
        public void submit(IoRequest request) {
            switch (hook.of(fileName(), request)) {
                case PASS -> below().submit(request);
                case NO_SPACE -> request.complete(BlockError.ENOSPC);
                case HOLD -> {
                    synchronized (heldBack) {
                        heldBack.add(() -> loop.execute(() -> below().submit(request)));
                    }
                    held.incrementAndGet();
                }
            }
        }
    }
}
