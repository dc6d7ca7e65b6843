package io.quoin.replicate.volume;

import io.quoin.replicate.BrickLink;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.SubvolumeExchange;
import io.quoin.xlator.loop.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * cluster/replicate: a volume's names and files, and what operators ask of them.
 *
 * <p>Threading: thread-safe.
 */
final class ReplicateXlator extends VolumeXlator implements ReplicaAdmin, SubvolumeExchange {
    private final LinkedFiles files;
    private final Loop loop;
    private volatile List<Xlator> subvolumes;

    ReplicateXlator(String name, List<Xlator> subvolumes, LinkedFiles files, Loop loop) {
        super(name, ReplicateType.TYPE, subvolumes, files, loop);
        this.files = files;
        this.loop = loop;
        this.subvolumes = List.copyOf(subvolumes);
    }

    @Override
    public List<Xlator> subvolumes() {
        return subvolumes;
    }

    @Override
    public CompletionStage<Void> release(int number) {
        files.links().release(number);
        return done();
    }

    @Override
    public void take(int number, Xlator subvolume) {
        files.links().take(number, ReplicateType.brick(name(), subvolume));
        List<Xlator> next = new ArrayList<>(subvolumes);
        next.set(number, subvolume);
        subvolumes = List.copyOf(next);
    }

    @Override
    public CompletionStage<List<ReplicaFileHealth>> health() {
        List<CompletableFuture<ReplicaFileHealth>> asked = new ArrayList<>();
        for (Map.Entry<UUID, FileGateway> entry : files.gateways().entrySet()) {
            GatewayCopies copies = entry.getValue().copies();
            if (copies != null) {
                CompletableFuture<ReplicaFileHealth> answer = new CompletableFuture<>();
                copies.loop().execute(() -> answer.complete(copies.health()));
                asked.add(answer);
            }
        }
        return CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new))
                .thenApply(
                        none ->
                                asked.stream()
                                        .map(CompletableFuture::join)
                                        .sorted(Comparator.comparing(ReplicaFileHealth::fileName))
                                        .toList());
    }

    @Override
    public CompletionStage<List<BrickStatus>> bricks() {
        return files.links()
                .askAll(BrickLink::space)
                .thenApply(
                        spaces ->
                                files.links().statuses().stream()
                                        .map(status -> status.space(spaces.get(status.index())))
                                        .toList());
    }

    @Override
    public CompletionStage<List<BrickStatus>> awaitBricks(Duration atMost) {
        return files.links().awaitUp(atMost).thenCompose(none -> bricks());
    }

    @Override
    public CompletionStage<List<ReplicaFileHealth>> healFull(Consumer<ReplicaFileHealth> progress) {
        return eachFile(
                copies -> new FileHeal(files.links(), copies, loop, progress).begin(), () -> false);
    }

    @Override
    public CompletionStage<List<ReplicaFileScrub>> scrub(
            Consumer<ReplicaFileScrub> progress, BooleanSupplier isToEnd) {
        return eachFile(copies -> scrub(copies, progress, isToEnd), isToEnd);
    }

    private static CompletionStage<ReplicaFileScrub> scrub(
            SharedCopies copies, Consumer<ReplicaFileScrub> progress, BooleanSupplier isToEnd) {
        CompletableFuture<ReplicaFileScrub> ended = new CompletableFuture<>();
        copies.scrub(
                told -> {
                    progress.accept(told);
                    if (told.progress().isEnded()) {
                        ended.complete(told);
                    }
                },
                isToEnd);
        return ended;
    }

    /** Opens the catalogue and then each file, one after the other. */
    private <T> CompletionStage<List<T>> eachFile(
            Function<SharedCopies, CompletionStage<T>> work, BooleanSupplier isToEnd) {
        List<T> results = new ArrayList<>();
        return names().thenCompose(
                        names -> {
                            CompletionStage<Void> before =
                                    withFile(LinkedFiles.CATALOGUE, "catalogue", work, results);
                            for (Map.Entry<String, UUID> entry : names.entrySet()) {
                                before =
                                        before.thenCompose(
                                                none ->
                                                        isToEnd.getAsBoolean()
                                                                ? done()
                                                                : withFile(
                                                                        entry.getValue(),
                                                                        entry.getKey(),
                                                                        work,
                                                                        results));
                            }
                            return before;
                        })
                .thenApply(none -> List.copyOf(results));
    }

    private static CompletionStage<Void> done() {
        return CompletableFuture.completedFuture(null);
    }

    private <T> CompletionStage<Void> withFile(
            UUID file,
            String fileName,
            Function<SharedCopies, CompletionStage<T>> work,
            List<T> results) {
        return files.use(file, fileName, loop, true)
                .thenCompose(
                        copies ->
                                work.apply(copies)
                                        .thenCompose(
                                                result -> {
                                                    results.add(result);
                                                    return copies.close();
                                                }));
    }
}
