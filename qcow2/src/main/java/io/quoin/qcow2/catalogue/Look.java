package io.quoin.qcow2.catalogue;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One pass over the folder: lists it, and reads the headers that are not known, several at a time.
 *
 * <pre>
 *  list --> read, READS_MAX at a time --> done
 *    ^          |
 *    '-a file is gone: it may have another name by now, which the list did not have
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class Look {
    /** So that neither the threads that open files nor the loop are kept from guests. */
    private static final int READS_MAX = 8;

    /** While names come and go, as a rename does between the list and the reading. */
    private static final int LISTS_MAX = 100;

    private static final int BUSY_MAX = 100;
    private static final long BUSY_NANOS = 5_000_000;

    private final ImageCatalogue catalogue;
    private final Xlator subvolume;
    private final HeaderRead headers;
    private final Loop loop;
    private final @Nullable String unread;
    private final CompletableFuture<List<FileInfo>> done = new CompletableFuture<>();
    private final Deque<FileInfo> unknown = new ArrayDeque<>();
    private List<FileInfo> files = List.of();
    private int reading;
    private boolean listAgain;
    private int lists;
    private int busy;

    /**
     * @param unread an image that need not be read; or null
     */
    Look(
            ImageCatalogue catalogue,
            Xlator subvolume,
            HeaderRead headers,
            Loop loop,
            @Nullable String unread) {
        this.catalogue = catalogue;
        this.subvolume = subvolume;
        this.headers = headers;
        this.loop = loop;
        this.unread = unread;
    }

    /** The files as they were listed, once the catalogue knows all images among them. */
    CompletionStage<List<FileInfo>> run() {
        list();
        return done;
    }

    // What fails ends in the stage.
    @SuppressWarnings("FutureReturnValueIgnored")
    private void list() {
        lists++;
        listAgain = false;
        subvolume
                .list()
                .whenCompleteAsync(
                        (infos, failure) -> {
                            if (failure == null) {
                                listed(infos);
                            } else {
                                done.completeExceptionally(notListed(failure));
                            }
                        },
                        loop);
    }

    private void listed(List<FileInfo> infos) {
        files = infos;
        unknown.clear();
        Set<String> images = new HashSet<>();
        for (FileInfo file : infos) {
            if (catalogue.isImage(file)) {
                images.add(file.fileName());
                if (!file.fileName().equals(unread) && !catalogue.isKnown(file)) {
                    unknown.add(file);
                }
            }
        }
        catalogue.retain(images);
        next();
    }

    private void next() {
        while (!listAgain && reading < READS_MAX && !unknown.isEmpty()) {
            reading++;
            read(unknown.remove());
        }
        if (reading > 0) {
            return;
        }
        if (listAgain) {
            list();
        } else {
            done.complete(files);
        }
    }

    // What fails ends in the entry.
    @SuppressWarnings("FutureReturnValueIgnored")
    private void read(FileInfo file) {
        long hold = catalogue.holdOf(file);
        headers.read(file.fileName())
                .whenCompleteAsync(
                        (header, failure) -> {
                            if (failure == null) {
                                catalogue.read(file, header, hold);
                            } else if (isToBeReadAgain(file, failure)) {
                                busy++;
                                loop.schedule(BUSY_NANOS, () -> read(file));
                                return;
                            } else {
                                failed(file, failure);
                            }
                            reading--;
                            next();
                        },
                        loop);
    }

    /** Only for a moment, while it is renamed. */
    private boolean isToBeReadAgain(FileInfo file, Throwable failure) {
        return ChildFiles.errorOf(failure) == BlockError.EBUSY
                && busy < BUSY_MAX
                && (!catalogue.isUnreadable(file) || catalogue.holdOf(file) != 0);
    }

    private void failed(FileInfo file, Throwable failure) {
        if (ChildFiles.errorOf(failure) == BlockError.ENOENT && lists < LISTS_MAX) {
            listAgain = true;
        } else {
            catalogue.unreadable(file, String.valueOf(ChildFiles.causeOf(failure).getMessage()));
        }
    }

    private static BlockException notListed(Throwable failure) {
        return new BlockException(
                ChildFiles.errorOf(failure),
                "files cannot be listed, so that it is not known what stands on what: "
                        + ChildFiles.causeOf(failure).getMessage(),
                failure);
    }
}
