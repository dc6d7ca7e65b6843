package io.quoin.qcow2.catalogue;

import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the headers of the subvolume's images say, for lists and for who stands on whom, and which
 * snapshots they have. A look lists the files, and reads again the headers of those that have
 * changed since; so it finds files that were copied in, removed, resized or rebased behind the
 * volume's back. A look serves all calls that came before it began.
 *
 * <p>An image that is held for writing is changed by this process alone, which gives its hold
 * another number when it changes its header: until then it is not read again.
 *
 * <p>There is an entry for each image that is there, of some hundred bytes, the names in its header
 * and what it has of snapshots, 64 KiB on disk at most, and no other.
 *
 * <p>Threading: thread-safe; the work is done on one loop.
 */
public final class ImageCatalogue {
    private static final Logger LOG = LoggerFactory.getLogger(ImageCatalogue.class);

    private final Xlator subvolume;
    private final Predicate<String> isImage;
    private final ToLongFunction<String> holdNumber;
    private final Loop loop;
    private final HeaderRead headers;

    /** Confined to the loop, as all that follows. */
    private final Map<String, Entry> entries = new HashMap<>();

    /** Of the entries as they are; null: they have changed since. */
    private @Nullable References references;

    private long versions;

    private List<Request> waiting = new ArrayList<>();
    private boolean looking;

    /** The files of the subvolume, images with their virtual sizes, and what stands on what. */
    record Contents(List<FileInfo> files, References references) {}

    /** What waits for a look. */
    private record Request(@Nullable String unread, CompletableFuture<Contents> contents) {}

    /**
     * @param isImage by its name
     * @param holdNumber a number of its own for each time that a file is held for writing, and for
     *     each state of its header while it is; 0: it is not held. Called on any thread
     */
    public ImageCatalogue(
            Xlator subvolume,
            LoopGroup loops,
            Predicate<String> isImage,
            ToLongFunction<String> holdNumber) {
        this.subvolume = subvolume;
        this.isImage = isImage;
        this.holdNumber = holdNumber;
        this.loop = loops.next();
        this.headers = new HeaderRead(subvolume, loop);
    }

    /**
     * The files as they are at some moment after the call: images with their virtual size, without
     * id and stamp, 0 for one that cannot be read.
     */
    public CompletionStage<List<FileInfo>> list() {
        return look(null, Contents::files);
    }

    /**
     * What stands on what at some moment after the call.
     *
     * @param unread an image whose own references do not matter; or null
     */
    public CompletionStage<References> references(@Nullable String unread) {
        return look(unread, Contents::references);
    }

    /**
     * The snapshots of the images that have some, as the last look found them; without an entry
     * where the table is broken or longer than 64 KiB. Looks at nothing itself.
     */
    public CompletionStage<Map<String, ImageSnapshotTable>> snapshots() {
        return CompletableFuture.supplyAsync(this::snapshotTables, loop);
    }

    /**
     * The virtual size of an image.
     *
     * @param file as it was a moment ago
     * @return fails as the reading of its header
     */
    public CompletionStage<Long> virtualSize(FileInfo file) {
        return CompletableFuture.supplyAsync(
                        () -> {
                            Entry entry = entries.get(file.fileName());
                            return entry != null && isKnown(file)
                                    ? CompletableFuture.completedFuture(entry.header())
                                    : headers.read(file.fileName());
                        },
                        loop)
                .thenCompose(Function.identity())
                .thenApply(ImageHeader::requireSizeBytes);
    }

    private <T> CompletionStage<T> look(@Nullable String unread, Function<Contents, T> part) {
        Request request = new Request(unread, new CompletableFuture<>());
        loop.execute(
                () -> {
                    waiting.add(request);
                    lookIfIdle();
                });
        return request.contents().thenApply(part);
    }

    // What fails ends in the requests.
    @SuppressWarnings("FutureReturnValueIgnored")
    private void lookIfIdle() {
        if (looking || waiting.isEmpty()) {
            return;
        }
        looking = true;
        List<Request> requests = waiting;
        waiting = new ArrayList<>();
        String unread = requests.size() == 1 ? requests.get(0).unread() : null;
        new Look(this, subvolume, headers, loop, unread)
                .run()
                .whenComplete(
                        (files, failure) -> {
                            looking = false;
                            Contents contents =
                                    failure == null
                                            ? new Contents(listed(files), references())
                                            : null;
                            lookIfIdle();
                            for (Request request : requests) {
                                if (contents != null) {
                                    request.contents().complete(contents);
                                } else {
                                    request.contents().completeExceptionally(failure);
                                }
                            }
                        });
    }

    boolean isImage(FileInfo file) {
        return isImage.test(file.fileName());
    }

    long holdOf(FileInfo file) {
        return holdNumber.applyAsLong(file.fileName());
    }

    boolean isKnown(FileInfo file) {
        Entry entry = entries.get(file.fileName());
        return entry != null && entry.isOf(file, holdOf(file));
    }

    /** Whether it could not be read the last time. */
    boolean isUnreadable(FileInfo file) {
        Entry entry = entries.get(file.fileName());
        return entry != null && entry.failure() != null;
    }

    /** Forgets all others. */
    void retain(Set<String> images) {
        if (entries.keySet().retainAll(images)) {
            references = null;
        }
    }

    /**
     * Remembers what was read.
     *
     * @param file as it was before that
     * @param hold the number of the hold on it before that
     */
    void read(FileInfo file, ImageHeader header, long hold) {
        Entry before = put(file, Entry.read(header, file, hold));
        ImageHeader.Refusal refusal = header.refusal();
        boolean isNew = before == null || !header.equals(before.header());
        if (refusal != null && isNew) {
            LOG.warn("image cannot be read: {}", refusal.message());
        }
    }

    /** Remembers that it could not be read, and keeps what was read before. */
    void unreadable(FileInfo file, String reason) {
        Entry before = entries.get(file.fileName());
        put(file, Entry.unreadable(before, file, reason));
        if (before == null || before.failure() == null) {
            LOG.warn(
                    "image cannot be read, what it stands on is not known: file={}, reason={}",
                    file.fileName(),
                    reason);
        }
    }

    private @Nullable Entry put(FileInfo file, Entry entry) {
        Entry before = entries.put(file.fileName(), entry);
        if (!entry.tellsTheSameAs(before)) {
            references = null;
        }
        return before;
    }

    private List<FileInfo> listed(List<FileInfo> files) {
        List<FileInfo> listed = new ArrayList<>(files.size());
        for (FileInfo file : files) {
            Entry entry = entries.get(file.fileName());
            boolean isImage = isImage(file);
            long sizeBytes = entry == null ? 0 : entry.listedBytes();
            listed.add(
                    isImage
                            ? new FileInfo(file.fileName(), sizeBytes, file.allocatedBytes())
                            : file);
        }
        return List.copyOf(listed);
    }

    private Map<String, ImageSnapshotTable> snapshotTables() {
        Map<String, ImageSnapshotTable> tables = new HashMap<>();
        entries.forEach(
                (image, entry) -> {
                    ImageHeader header = entry.header();
                    if (header.hasSnapshots()) {
                        tables.put(
                                image,
                                new ImageSnapshotTable(header.sizeBytes(), header.snapshots()));
                    }
                });
        return Map.copyOf(tables);
    }

    private References references() {
        References known = references;
        if (known == null) {
            Map<String, HeaderReferences> byImage = new HashMap<>();
            List<String> unreadable = new ArrayList<>();
            entries.forEach(
                    (image, entry) -> {
                        byImage.put(image, entry.header().references());
                        if (entry.failure() != null) {
                            unreadable.add(image);
                        }
                    });
            unreadable.sort(null);
            known = new References(++versions, Map.copyOf(byImage), List.copyOf(unreadable));
            references = known;
        }
        return known;
    }
}
