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
    private boolean isEnded;

    LazyFile(Xlator below, Loop loop, String fileName) {
        this.below = below;
        this.loop = loop;
        this.fileName = fileName;
    }

    /**
     * Hands the file on, or null if it cannot be opened; a file is given back by release. After it
     * has been closed for good nothing comes.
     */
    void use(Consumer<@Nullable XlatorFile> work) {
        XlatorFile present = file;
        if (isEnded) {
            return;
        }
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

    /**
     * Closes it once what uses it has ended; what waits for it, or comes later, gets nothing.
     *
     * @param done is told, later, what the close failed with: what was written may be lost
     */
    void closeForGood(Consumer<@Nullable BlockException> done) {
        isEnded = true;
        waiting.clear();
        close(done);
    }

    private void close(Consumer<@Nullable BlockException> done) {
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
        if (whenClosed == null || users > 0 || isClosing) {
            return;
        }
        isClosing = true;
        XlatorFile present = file;
        if (present == null) {
            loop.execute(() -> closed(null));
        } else {
            present.close().whenCompleteAsync((none, failure) -> closed(failure), loop);
        }
    }

    private void closed(@Nullable Throwable failure) {
        Consumer<@Nullable BlockException> done = whenClosed;
        file = null;
        isClosing = false;
        whenClosed = null;
        open();
        if (done != null) {
            done.accept(failure == null ? null : Stages.asBlockException(failure));
        }
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
