package io.quoin.stripe;

import io.quoin.xlator.FileInfo;
import io.quoin.xlator.NameText;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finishes, or undoes, changes of names that were interrupted: by a crash, or by a child that
 * failed. The names of part 0 are the names of the files; the others' parts follow by the id in
 * their headers, whatever they are called:
 *
 * <ul>
 *   <li>a part whose file has another name gets that, also in the place of a part of a file that
 *       has been replaced;
 *   <li>a part of a file whose part 0 is not linked is removed, and part 0 last of all;
 *   <li>a part of a file of which there is no part 0 stays as it is: nothing says that it is not
 *       wanted.
 * </ul>
 *
 * <p>Where all children have the same names, and all files are linked, nothing was interrupted.
 *
 * <p>Threading: thread-safe; one run at a time, and no other change meanwhile.
 */
final class StripeRecovery {
    private static final Logger LOG = LoggerFactory.getLogger(StripeRecovery.class);

    private final Children children;
    private final LoopGroup loops;

    /** Files in the making are not linked either. */
    private final Predicate<UUID> isBeingMade;

    StripeRecovery(Children children, LoopGroup loops, Predicate<UUID> isBeingMade) {
        this.children = children;
        this.loops = loops;
        this.isBeingMade = isBeingMade;
    }

    CompletionStage<Void> run() {
        return children.callAll(part -> children.get(part).list())
                .thenCompose(
                        lists -> {
                            List<Set<String>> names = new ArrayList<>();
                            lists.forEach(files -> names.add(namesOf(files)));
                            Run run = new Run(names);
                            return run.isNeeded() ? run.run() : done();
                        });
    }

    private Set<String> namesOf(List<FileInfo> files) {
        Set<String> names = new HashSet<>();
        for (FileInfo file : files) {
            if (UnlinkedNames.parse(file.fileName()).filter(isBeingMade).isEmpty()) {
                names.add(file.fileName());
            }
        }
        return names;
    }

    private final class Run {
        private final List<Set<String>> names;

        /** What each file is called, by its part 0. */
        private final Map<UUID, String> nameOf = new HashMap<>();

        Run(List<Set<String>> names) {
            this.names = names;
        }

        boolean isNeeded() {
            Set<String> first = names.get(0);
            return names.stream().anyMatch(of -> !of.equals(first))
                    || first.stream().anyMatch(UnlinkedNames::isOne);
        }

        CompletionStage<Void> run() {
            List<Part> others = new ArrayList<>();
            for (int part = 1; part < children.count(); part++) {
                for (String name : names.get(part)) {
                    if (UnlinkedNames.isOne(name) || !names.get(0).contains(name)) {
                        others.add(new Part(part, name));
                    }
                }
            }
            return InTurn.each(List.copyOf(names.get(0)), this::identify)
                    .thenCompose(none -> InTurn.each(others, this::settle))
                    .thenCompose(none -> InTurn.each(unlinked(0), this::remove));
        }

        /** A file of part 0 that cannot be read as one is not looked for elsewhere. */
        private CompletionStage<Void> identify(String name) {
            Part first = new Part(0, name);
            return idOf(first)
                    .thenAccept(
                            id -> {
                                if (id.isPresent()) {
                                    nameOf.put(id.get(), name);
                                } else {
                                    LOG.warn("no part of a striped file: {}", first);
                                }
                            });
        }

        /** By the header, or by the name of one that may not have its header yet. */
        private CompletionStage<Optional<UUID>> idOf(Part part) {
            Optional<UUID> unlinked = UnlinkedNames.parse(part.name);
            if (unlinked.isPresent()) {
                return CompletableFuture.completedFuture(unlinked);
            }
            return PartIo.readStart(children.get(part.part), part.name, loops.next())
                    .thenApply(
                            start -> {
                                Optional<PartHeader> header = PartHeaderLayout.find(start);
                                header.ifPresent(
                                        found ->
                                                PartChecks.check(
                                                        part.name, children, part.part, found));
                                return header.map(PartHeader::fileId);
                            });
        }

        private CompletionStage<Void> settle(Part other) {
            return idOf(other)
                    .thenCompose(
                            id ->
                                    id.isPresent()
                                            ? settle(other, id.get())
                                            : leave(other, "it has no header"));
        }

        private CompletionStage<Void> settle(Part other, UUID fileId) {
            String name = nameOf.get(fileId);
            if (name == null) {
                // Without a name it has never been part of a file that was.
                return UnlinkedNames.isOne(other.name)
                        ? remove(other)
                        : leave(other, "its part 0 is missing");
            }
            if (UnlinkedNames.isOne(name)) {
                return remove(other);
            }
            LOG.info("interrupted rename is finished: {}, to={}", other, shown(name));
            return names.get(other.part).contains(name)
                    ? replace(other, name)
                    : children.call(
                            other.part, part -> children.get(part).rename(other.name, name));
        }

        /** Only the part of a file that is not there any more makes way. */
        private CompletionStage<Void> replace(Part other, String name) {
            return idOf(new Part(other.part, name))
                    .thenCompose(
                            id ->
                                    id.isEmpty() || nameOf.containsKey(id.get())
                                            ? leave(other, "its place is taken")
                                            : children.call(
                                                    other.part,
                                                    part ->
                                                            children.get(part)
                                                                    .replace(name, other.name)));
        }

        private CompletionStage<Void> remove(Part part) {
            LOG.info("part of a file without a name is removed: {}", part);
            return children.call(part.part, child -> children.get(child).remove(part.name));
        }

        private CompletionStage<Void> leave(Part part, String why) {
            LOG.warn("part of no known file: {}, reason={}", part, why);
            return done();
        }

        private List<Part> unlinked(int part) {
            return names.get(part).stream()
                    .filter(UnlinkedNames::isOne)
                    .map(name -> new Part(part, name))
                    .toList();
        }

        /** A file of a child. */
        private final class Part {
            private final int part;
            private final String name;

            Part(int part, String name) {
                this.part = part;
                this.name = name;
            }

            @Override
            public String toString() {
                return "subvolume=" + children.name(part) + ", file=" + shown(name);
            }
        }
    }

    private static CompletionStage<Void> done() {
        return CompletableFuture.completedFuture(null);
    }

    private static String shown(String name) {
        return NameText.printable(name);
    }
}
