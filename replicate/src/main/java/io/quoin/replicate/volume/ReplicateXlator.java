package io.quoin.replicate.volume;

import io.quoin.replicate.BrickLink;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * cluster/replicate: a volume's names and files, and what operators ask of them.
 *
 * <p>Threading: thread-safe.
 */
final class ReplicateXlator extends VolumeXlator implements ReplicaAdmin {
    private final LinkedFiles files;
    private final Loop loop;

    ReplicateXlator(String name, List<Xlator> subvolumes, LinkedFiles files, Loop loop) {
        super(name, ReplicateType.TYPE, subvolumes, files, loop);
        this.files = files;
        this.loop = loop;
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
    public CompletionStage<List<ReplicaFileHealth>> healFull(Consumer<ReplicaFileHealth> progress) {
        List<ReplicaFileHealth> healed = new ArrayList<>();
        return names().thenCompose(
                        names -> {
                            CompletionStage<Void> before =
                                    heal(LinkedFiles.CATALOGUE, "catalogue", progress, healed);
                            for (Map.Entry<String, UUID> entry : names.entrySet()) {
                                before =
                                        before.thenCompose(
                                                none ->
                                                        heal(
                                                                entry.getValue(),
                                                                entry.getKey(),
                                                                progress,
                                                                healed));
                            }
                            return before;
                        })
                .thenApply(none -> List.copyOf(healed));
    }

    private CompletionStage<Void> heal(
            UUID file,
            String fileName,
            Consumer<ReplicaFileHealth> progress,
            List<ReplicaFileHealth> healed) {
        return files.use(file, fileName, loop, true)
                .thenCompose(
                        copies ->
                                new FileHeal(files.links(), copies, loop, progress)
                                        .begin()
                                        .thenCompose(
                                                end -> {
                                                    healed.add(end);
                                                    return copies.close();
                                                }));
    }
}
