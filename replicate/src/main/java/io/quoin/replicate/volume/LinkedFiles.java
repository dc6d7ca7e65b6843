package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Geometry;
import io.quoin.replicate.Outcome;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The files of a volume on the bricks of its replica set.
 *
 * <p>Threading: thread-safe.
 */
final class LinkedFiles implements VolumeFiles {
    static final UUID CATALOGUE = new UUID(0, 0);

    /** Low bits of a gateway's id count; the others are this process's, drawn at random. */
    private static final int COUNT_BITS = 24;

    private final String node;
    private final Links links;
    private final Loop loop;
    private final long ownId = new SecureRandom().nextLong() << COUNT_BITS;
    private final AtomicInteger gatewayCount = new AtomicInteger();
    private final Map<UUID, FileGateway> gateways = new HashMap<>();

    /**
     * @param node of the graph, for events
     * @param links open; closed with it
     * @param loop for what is no open file's
     */
    LinkedFiles(String node, Links links, Loop loop) {
        this.node = node;
        this.links = links;
        this.loop = loop;
    }

    /** An id that no other gateway has. */
    long nextGateway() {
        return ownId | (gatewayCount.incrementAndGet() & ((1 << COUNT_BITS) - 1));
    }

    /** Whether a gateway is, or was, of this process. */
    boolean isOwn(long gateway) {
        return gateway >>> COUNT_BITS == ownId >>> COUNT_BITS;
    }

    Links links() {
        return links;
    }

    @Override
    public CompletionStage<XlatorFile> openCatalogue(Loop fileLoop, Consumer<XlatorFile> whenLost) {
        String fileName = "catalogue of " + node;
        return use(CATALOGUE, fileName, fileLoop, false)
                .thenApply(
                        copies -> {
                            XlatorFile file =
                                    file(fileName, OpenOptions.READ_WRITE, copies, fileLoop);
                            copies.whenLost(() -> whenLost.accept(file));
                            return file;
                        });
    }

    @Override
    public CompletionStage<XlatorFile> open(
            UUID file, String fileName, OpenOptions options, Loop fileLoop) {
        return use(file, fileName, fileLoop, true)
                .thenApply(copies -> file(fileName, options, copies, fileLoop));
    }

    private XlatorFile file(
            String fileName, OpenOptions options, SharedCopies copies, Loop fileLoop) {
        return new ReplicatedFile(
                node, fileName, options, Geometry.DEFAULT.regionBytes(), copies, fileLoop);
    }

    /**
     * A use of the file's gateway, on the loop; that completes there. One that is lost is left to
     * those that have it: they see that it is.
     */
    CompletionStage<SharedCopies> use(
            UUID file, String fileName, Loop fileLoop, boolean mustBeThere) {
        FileGateway found;
        boolean isFirst = false;
        synchronized (gateways) {
            found = gateways.get(file);
            if (found == null || found.isLost()) {
                found = new FileGateway(fileLoop, over -> forget(file, over));
                gateways.put(file, found);
                isFirst = true;
            } else if (!found.acquire()) {
                return found.over()
                        .thenComposeAsync(
                                none -> use(file, fileName, fileLoop, mustBeThere), fileLoop);
            }
        }
        FileGateway gateway = found;
        if (isFirst) {
            new FileOpening(this, file, fileName, fileLoop, mustBeThere)
                    .begin()
                    .whenComplete(gateway::opened);
        }
        return gateway.opened()
                .thenApplyAsync(copies -> new SharedCopies(gateway, copies, fileLoop), fileLoop);
    }

    private void forget(UUID file, FileGateway over) {
        synchronized (gateways) {
            gateways.remove(file, over);
        }
    }

    /** The gateways there are, by file. */
    Map<UUID, FileGateway> gateways() {
        synchronized (gateways) {
            return new HashMap<>(gateways);
        }
    }

    @Override
    public CompletionStage<Void> create(UUID file, long sizeBytes) {
        return use(file, file.toString(), loop, false)
                .thenCompose(
                        copies ->
                                resized(copies, sizeBytes)
                                        .handle((none, failure) -> failure)
                                        .thenCompose(failure -> closed(copies, failure)));
    }

    private static CompletionStage<Void> resized(Copies copies, long sizeBytes) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (sizeBytes == 0) {
            done.complete(null);
            return done;
        }
        copies.resize(
                sizeBytes,
                (outcome, none) -> {
                    if (outcome == Outcome.DONE) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(notMade(outcome));
                    }
                });
        return done;
    }

    private static BlockException notMade(Outcome outcome) {
        BlockError error =
                switch (outcome) {
                    case NO_SPACE -> BlockError.ENOSPC;
                    case FENCED -> BlockError.EBADE;
                    default -> BlockError.EIO;
                };
        return new BlockException(error, "file could not be made: outcome=" + outcome);
    }

    private static CompletionStage<Void> closed(Copies copies, @Nullable Throwable failure) {
        return copies.close()
                .thenCompose(
                        none ->
                                failure == null
                                        ? CompletableFuture.completedFuture(null)
                                        : CompletableFuture.failedFuture(failure));
    }

    @Override
    public CompletionStage<FileInfo> stat(UUID file, String fileName) {
        return links.askMajority(link -> link.probe(file), fileName)
                .thenApply(
                        answers -> {
                            Probes probes = new Probes(links.layout(), answers);
                            if (!probes.isThere()) {
                                throw missing(fileName);
                            }
                            FileGateway gateway = gateways().get(file);
                            GatewayCopies open = gateway == null ? null : gateway.copies();
                            return new FileInfo(
                                    fileName,
                                    open == null ? probes.sizeBytes() : open.sizeBytes(),
                                    probes.allocatedBytes(),
                                    file.getLeastSignificantBits(),
                                    0);
                        });
    }

    static BlockException missing(String fileName) {
        return new BlockException(BlockError.ENOENT, "no such file: name=" + fileName);
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        return links.askAll(link -> link.delete(file)).thenApply(deleted -> null);
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return links.askAll(BrickLink::list)
                .thenApply(
                        lists ->
                                lists.values().stream()
                                        .flatMap(Collection::stream)
                                        .filter(file -> !file.equals(CATALOGUE))
                                        .distinct()
                                        .toList());
    }

    @Override
    public CompletionStage<StorageSpace> space() {
        return links.askMajority(BrickLink::space, "space of " + node)
                .thenApply(spaces -> least(spaces).orElseThrow(() -> links.tooFew("its space")));
    }

    /** An arbiter keeps no data. */
    private Optional<StorageSpace> least(SortedMap<Integer, BrickSpace> spaces) {
        return spaces.entrySet().stream()
                .filter(space -> links.layout().isData(space.getKey()))
                .map(
                        space ->
                                new StorageSpace(
                                        space.getValue().totalBytes(),
                                        space.getValue().freeBytes()))
                .reduce(StorageSpace::and);
    }

    @Override
    public CompletionStage<Void> close() {
        links.close();
        for (FileGateway gateway : gateways().values()) {
            GatewayCopies copies = gateway.copies();
            if (copies != null) {
                copies.loop().execute(copies::abort); // of a heal that is not over
            }
        }
        return CompletableFuture.completedFuture(null);
    }
}
