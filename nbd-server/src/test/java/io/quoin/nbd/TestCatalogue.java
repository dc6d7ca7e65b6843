package io.quoin.nbd;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.nbd.export.DirtyBitmap;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Disks in memory by name, with users counted.
 *
 * <p>Threading: thread-safe.
 */
final class TestCatalogue implements ExportCatalogue {
    private final Map<String, Entry> entries = new ConcurrentSkipListMap<>();
    final AtomicInteger opens = new AtomicInteger();
    final AtomicInteger users = new AtomicInteger();
    volatile String defaultName = "";
    volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
    volatile BlockException failure;

    /** Of exports that have one. */
    final Map<String, DirtyBitmap> bitmaps = new ConcurrentSkipListMap<>();

    /** What names fail with that are none of an export. */
    volatile BlockException illegal;

    private record Entry(
            String name,
            String description,
            boolean readOnly,
            MemoryDisk disk,
            DiskRing ring,
            Loop loop) {}

    MemoryDisk add(String name, String description, boolean readOnly, MemoryDisk disk, Loop loop) {
        return add(name, description, readOnly, disk, loop, RingOptions.defaults());
    }

    MemoryDisk add(
            String name,
            String description,
            boolean readOnly,
            MemoryDisk disk,
            Loop loop,
            RingOptions options) {
        DiskRing ring = DiskRing.create(disk, loop, loop::inLoop, loop.requests(), options);
        entries.put(name, new Entry(name, description, readOnly, disk, ring, loop));
        return disk;
    }

    @Override
    public List<ExportInfo> list() {
        return entries.values().stream()
                .map(entry -> new ExportInfo(entry.name(), entry.description()))
                .toList();
    }

    @Override
    public CompletionStage<Export> open(String name) {
        opens.incrementAndGet();
        Entry entry = entries.get(name);
        BlockException refused = illegal;
        if (entry == null && refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        if (entry == null) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.ENOENT, "no such disk: name=" + name));
        }
        BlockException refusal = failure;
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        users.incrementAndGet();
        return gate.thenApply(done -> new OpenExport(entry));
    }

    @Override
    public Optional<String> defaultExport() {
        return defaultName.isEmpty() ? Optional.empty() : Optional.of(defaultName);
    }

    @Override
    public boolean contains(String name) {
        return entries.containsKey(name);
    }

    @Override
    public Optional<String> dirtyBitmap(String name) {
        return bitmaps.containsKey(name) ? Optional.of("changed") : Optional.empty();
    }

    private final class OpenExport implements Export {
        private final Entry entry;
        private boolean isClosed;

        OpenExport(Entry entry) {
            this.entry = entry;
        }

        @Override
        public String name() {
            return entry.name();
        }

        @Override
        public String description() {
            return entry.description();
        }

        @Override
        public boolean readOnly() {
            return entry.readOnly();
        }

        @Override
        public DirtyBitmap dirtyBitmap() {
            return bitmaps.get(entry.name());
        }

        @Override
        public Geometry geometry() {
            return entry.disk().geometry();
        }

        @Override
        public Capabilities capabilities() {
            return entry.disk().capabilities();
        }

        @Override
        public DiskRing ring() {
            return entry.ring();
        }

        @Override
        public Loop loop() {
            return entry.loop();
        }

        @Override
        public CompletionStage<Void> close() {
            if (isClosed) {
                throw new AssertionError("export closed more than once: " + entry.name());
            }
            isClosed = true;
            users.decrementAndGet();
            return CompletableFuture.completedFuture(null);
        }
    }
}
