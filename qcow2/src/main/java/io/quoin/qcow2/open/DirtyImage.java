package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settles an image whose dirty bit is set, before it is opened for writing: its refcounts are
 * rebuilt from its tables, made durable, and only then the bit is cleared. It takes as long as
 * reading all L2 tables and refcount blocks; a crash on the way leaves the bit set.
 *
 * <p>Threading: thread-safe. The work runs on a thread of its own, its requests on the file's loop.
 */
final class DirtyImage {
    private static final Logger LOG = LoggerFactory.getLogger(DirtyImage.class);
    private static final int FINDINGS_KEPT = 3;

    private DirtyImage() {}

    /** The stage completes on {@code loop}, EIO if something is left that cannot be repaired. */
    static CompletionStage<Void> settle(XlatorFile file, String fileName, Loop loop) {
        CompletableFuture<Void> settled = new CompletableFuture<>();
        Thread thread =
                new Thread(() -> run(file, fileName, loop, settled), "qcow2-rebuild-" + fileName);
        thread.setDaemon(true);
        thread.start();
        return settled;
    }

    private static void run(
            XlatorFile file, String fileName, Loop loop, CompletableFuture<Void> settled) {
        try {
            rebuild(new LoopImageFile(file, loop), fileName);
            loop.execute(() -> settled.complete(null));
        } catch (RuntimeException | Error e) {
            // Else the open would never end, with the file held.
            loop.execute(() -> settled.completeExceptionally(e));
        }
    }

    private static void rebuild(LoopImageFile file, String fileName) {
        LOG.info("image was not closed, its refcounts are rebuilt: file={}", fileName);
        long start = System.nanoTime();
        List<String> findings = new ArrayList<>();
        CheckResult result =
                Qcow2Check.settleDirty(
                        file,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                if (findings.size() < FINDINGS_KEPT) {
                                    findings.add(text);
                                }
                            }
                        });
        if (result.corruptions() > 0 || result.checkErrors() > 0) {
            throw new BlockException(
                    BlockError.EIO,
                    "image was not closed and cannot be settled: file="
                            + fileName
                            + ", corruptions="
                            + result.corruptions()
                            + ", check-errors="
                            + result.checkErrors()
                            + ", found first="
                            + findings
                            + "; open it read-only, or see quoin image check");
        }
        LOG.info(
                "refcounts are rebuilt: file={}, corrected={}, leaks={}, millis={}",
                fileName,
                result.corruptionsFixed(),
                result.leaksFixed(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
    }
}
