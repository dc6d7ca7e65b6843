package io.quoin.replicate.store;

import io.quoin.block.BlockException;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file below that is opened when it is needed, and can be closed when it is not in use.
 *
 * <p>States: closed -> opening -> open -> closing -> closed. What wants the file meanwhile waits.
 *
 * <p>Threading: confined(loop).
 */
final class LazyFile {
    private static final Logger LOG = LoggerFactory.getLogger(LazyFile.class);

    private final Xlator below;
    private final Loop loop;
    private final String fileName;
    private final Deque<Consumer<@Nullable XlatorFile>> waiting = new ArrayDeque<>();
    private @Nullable XlatorFile file;
    private @Nullable Consumer<@Nullable BlockException> whenClosed;
    private int users;
    private boolean isOpening;
    private boolean isClosing;

    LazyFile(Xlator below, Loop loop, String fileName) {
        this.below = below;
        this.loop = loop;
        this.fileName = fileName;
    }

    /** Hands the file on, or null if it cannot be opened; a file is given back by release. */
    void use(Consumer<@Nullable XlatorFile> work) {
        XlatorFile present = file;
        if (present != null && whenClosed == null) {
            users++;
            work.accept(present);
        } else {
            waiting.add(work);
            open();
        }
    }

    void release() {
        users--;
        closeWhenUnused();
    }

    boolean isOpen() {
        return file != null;
    }

    boolean isUnused() {
        return users == 0 && waiting.isEmpty() && !isOpening && whenClosed == null;
    }

    /**
     * Closes it once it is not in use; the next use opens it anew. Not called again before that.
     *
     * @param done is told, later, what the close failed with: what was written may be lost
     */
    void close(Consumer<@Nullable BlockException> done) {
        whenClosed = done;
        if (!isOpening) {
            closeWhenUnused();
        }
    }

    /** Has it opened anew by the next use: what failed is final for the file as it is open now. */
    void renew() {
        if (whenClosed == null) {
            close(failure -> {});
        }
    }

    private void closeWhenUnused() {
        Consumer<@Nullable BlockException> done = whenClosed;
        if (done == null || users > 0 || isClosing) {
            return;
        }
        isClosing = true;
        XlatorFile present = file;
        if (present == null) {
            loop.execute(() -> closed(done, null));
        } else {
            present.close().whenCompleteAsync((none, failure) -> closed(done, failure), loop);
        }
    }

    private void closed(Consumer<@Nullable BlockException> done, @Nullable Throwable failure) {
        file = null;
        isClosing = false;
        whenClosed = null;
        done.accept(failure == null ? null : Stages.asBlockException(failure));
        open();
    }

    private void open() {
        if (isOpening || file != null || whenClosed != null || waiting.isEmpty()) {
            return;
        }
        isOpening = true;
        below.open(fileName, OpenOptions.READ_WRITE, loop)
                .whenCompleteAsync(
                        (opened, failure) -> {
                            isOpening = false;
                            if (failure != null) {
                                LOG.error("file cannot be opened: file={}", fileName, failure);
                            }
                            opened(opened);
                        },
                        loop);
    }

    private void opened(@Nullable XlatorFile opened) {
        file = opened;
        Deque<Consumer<@Nullable XlatorFile>> ready = new ArrayDeque<>(waiting);
        waiting.clear();
        users += opened == null ? 0 : ready.size();
        ready.forEach(work -> work.accept(opened));
        closeWhenUnused();
    }
}
