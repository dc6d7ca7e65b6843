package io.quoin.qcow2.parents;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the images of the subvolume stand on, by their headers. A look lists the files, and reads
 * again the headers of those that have changed since; so it finds files that were copied in,
 * removed or rebased behind the volume's back. A look serves all calls that came before it began.
 *
 * <p>An image that is held for writing names the same files for as long: it is not read again.
 *
 * <p>Threading: thread-safe; the work is done on one loop.
 */
final class ParentIndex {
    private static final Logger LOG = LoggerFactory.getLogger(ParentIndex.class);

    /** While names come and go, as a rename does between the list and the reading. */
    private static final int LISTS_MAX = 100;

    private static final int BUSY_MAX = 100;
    private static final long BUSY_NANOS = 5_000_000;

    private final Xlator subvolume;
    private final Predicate<String> isImage;
    private final FileHolds holds;
    private final Loop loop;
    private final HeaderRead headers;

    /** Confined to the loop, as all that follows. */
    private final Map<String, Entry> entries = new HashMap<>();

    private List<Request> waiting = new ArrayList<>();
    private boolean looking;

    /**
     * What was read of an image.
     *
     * @param stamp of the file when it was listed
     * @param hold the number of the hold under which it was read; 0: none
     * @param failure why it could not be read, then the references are those of before; or null
     */
    private record Entry(
            HeaderReferences references, long stamp, long hold, @Nullable String failure) {}

    /** What a look found: what stands on what, and the images that could not be read. */
    record Found(ReferenceGraph graph, List<String> unreadable) {}

    private record Request(@Nullable String unread, CompletableFuture<Found> found) {}

    ParentIndex(Xlator subvolume, LoopGroup loops, Predicate<String> isImage, FileHolds holds) {
        this.subvolume = subvolume;
        this.isImage = isImage;
        this.holds = holds;
        this.loop = loops.next();
        this.headers = new HeaderRead(subvolume, loop);
    }

    /**
     * As it is at some moment after the call.
     *
     * @param unread an image whose own references do not matter; or null
     */
    CompletionStage<Found> look(@Nullable String unread) {
        Request request = new Request(unread, new CompletableFuture<>());
        loop.execute(
                () -> {
                    waiting.add(request);
                    lookIfIdle();
                });
        return request.found();
    }

    private void lookIfIdle() {
        if (looking || waiting.isEmpty()) {
            return;
        }
        looking = true;
        List<Request> requests = waiting;
        waiting = new ArrayList<>();
        String unread = requests.size() == 1 ? requests.get(0).unread() : null;
        new Look(requests, unread).list();
    }

    /** One pass over the folder. */
    private final class Look {
        private final List<Request> requests;
        private final @Nullable String unread;
        private Iterator<FileInfo> files = List.<FileInfo>of().iterator();
        private int lists;
        private int busy;

        Look(List<Request> requests, @Nullable String unread) {
            this.requests = requests;
            this.unread = unread;
        }

        // What fails ends in the requests.
        @SuppressWarnings("FutureReturnValueIgnored")
        void list() {
            lists++;
            subvolume
                    .list()
                    .whenCompleteAsync(
                            (infos, failure) -> {
                                if (failure == null) {
                                    listed(infos);
                                } else {
                                    end(asked -> asked.completeExceptionally(notListed(failure)));
                                }
                            },
                            loop);
        }

        private void listed(List<FileInfo> infos) {
            List<FileInfo> images = new ArrayList<>();
            Set<String> names = new HashSet<>();
            for (FileInfo info : infos) {
                if (isImage.test(info.fileName())) {
                    images.add(info);
                    names.add(info.fileName());
                }
            }
            entries.keySet().retainAll(names);
            files = images.iterator();
            next();
        }

        private void next() {
            while (files.hasNext()) {
                FileInfo file = files.next();
                if (!file.fileName().equals(unread) && !isKnown(file)) {
                    read(file);
                    return;
                }
            }
            Found found = found();
            end(asked -> asked.complete(found));
        }

        private boolean isKnown(FileInfo file) {
            Entry entry = entries.get(file.fileName());
            if (entry == null) {
                return false;
            }
            boolean isHeldSince = entry.hold() != 0 && entry.hold() == holdOf(file);
            return isHeldSince || (entry.stamp() != 0 && entry.stamp() == file.changeStamp());
        }

        private long holdOf(FileInfo file) {
            return holds.holdNumber(file.fileName());
        }

        // What fails ends in the entry.
        @SuppressWarnings("FutureReturnValueIgnored")
        private void read(FileInfo file) {
            long hold = holdOf(file);
            headers.read(file.fileName())
                    .whenCompleteAsync(
                            (references, failure) -> {
                                if (failure == null) {
                                    put(file, references, hold, null);
                                    next();
                                } else {
                                    failed(file, hold, failure);
                                }
                            },
                            loop);
        }

        private void failed(FileInfo file, long hold, Throwable failure) {
            BlockError error = ChildFiles.errorOf(failure);
            if (error == BlockError.ENOENT && lists < LISTS_MAX) {
                list(); // it may have another name by now, which the list did not have
                return;
            }
            Entry before = entries.get(file.fileName());
            boolean isNew = before == null || before.failure() == null;
            if (error == BlockError.EBUSY && busy < BUSY_MAX && (isNew || holdOf(file) != 0)) {
                busy++; // only for a moment, while it is renamed
                loop.schedule(BUSY_NANOS, () -> read(file));
                return;
            }
            HeaderReferences kept = before == null ? HeaderReferences.NONE : before.references();
            put(file, kept, hold, String.valueOf(ChildFiles.causeOf(failure).getMessage()));
            next();
        }

        private void put(
                FileInfo file, HeaderReferences references, long hold, @Nullable String failure) {
            Entry entry =
                    new Entry(
                            references,
                            failure == null ? file.changeStamp() : 0,
                            failure == null ? hold : 0,
                            failure);
            Entry before = entries.put(file.fileName(), entry);
            if (failure != null && (before == null || before.failure() == null)) {
                LOG.warn(
                        "image cannot be read, what it stands on is not known: file={}, reason={}",
                        file.fileName(),
                        failure);
            }
        }

        private void end(Consumer<CompletableFuture<Found>> outcome) {
            looking = false;
            lookIfIdle();
            requests.forEach(request -> outcome.accept(request.found()));
        }
    }

    private static BlockException notListed(Throwable failure) {
        return new BlockException(
                ChildFiles.errorOf(failure),
                "files cannot be listed, so that it is not known what stands on what: "
                        + ChildFiles.causeOf(failure).getMessage(),
                failure);
    }

    private Found found() {
        Map<String, HeaderReferences> references = new TreeMap<>();
        List<String> unreadable = new ArrayList<>();
        entries.forEach(
                (image, entry) -> {
                    references.put(image, entry.references());
                    if (entry.failure() != null) {
                        unreadable.add(image);
                    }
                });
        unreadable.sort(null);
        return new Found(new ReferenceGraph(references), unreadable);
    }
}
