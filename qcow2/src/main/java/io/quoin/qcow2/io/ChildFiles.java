package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Opened files and stages: nothing stays open when something after the opening fails.
 *
 * <p>Threading: thread-safe.
 */
public final class ChildFiles {
    private ChildFiles() {}

    /** What {@code use} makes of the file; if it fails the file is closed. */
    public static <T> CompletionStage<T> orClose(
            XlatorFile file, Function<XlatorFile, CompletionStage<T>> use) {
        return attempt(() -> use.apply(file))
                .exceptionallyCompose(
                        failure -> closeThen(file, () -> CompletableFuture.failedFuture(failure)));
    }

    /** What {@code use} makes of the file, which is closed in any case. */
    public static <T> CompletionStage<T> thenClose(
            XlatorFile file, Function<XlatorFile, CompletionStage<T>> use) {
        return attempt(() -> use.apply(file))
                .handle(
                        (value, failure) ->
                                closeThen(
                                        file,
                                        () ->
                                                failure == null
                                                        ? CompletableFuture.completedFuture(value)
                                                        : CompletableFuture.<T>failedFuture(
                                                                failure)))
                .thenCompose(Function.identity());
    }

    /** Closes the file, if there is one; {@code next} follows whatever comes of that. */
    public static <T> CompletionStage<T> closeThen(
            @Nullable XlatorFile file, Supplier<CompletionStage<T>> next) {
        return file == null
                ? next.get()
                : file.close()
                        .handle((nothing, failure) -> next.get())
                        .thenCompose(Function.identity());
    }

    private static <T> CompletionStage<T> attempt(Supplier<CompletionStage<T>> work) {
        try {
            return work.get();
        } catch (RuntimeException | Error e) {
            // Whatever it is, the file is not to stay open.
            return CompletableFuture.failedFuture(e);
        }
    }

    /** A metadata operation as a stage; {@code what} begins the message if it fails. */
    public static CompletionStage<Void> stage(String what, Consumer<Outcome> operation) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        operation.accept(
                error -> {
                    if (error.isOk()) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(
                                new BlockException(error, what + ": " + error.text()));
                    }
                });
        return done;
    }

    /** Reads {@code lengthBytes} to the start of {@code bytes}; {@code what} is for messages. */
    public static CompletionStage<ByteBuffer> read(
            ImageIo io, long hostOffset, ByteBuffer bytes, int lengthBytes, String what) {
        long address = BufferUtil.address(bytes);
        return stage(
                        "read of the " + what + " at host offset " + hostOffset,
                        outcome -> io.read(hostOffset, address, lengthBytes, outcome))
                .thenApply(nothing -> bytes);
    }

    /** The error in a stage's failure. */
    public static BlockError errorOf(Throwable failure) {
        return causeOf(failure) instanceof BlockException exception
                ? exception.error()
                : BlockError.EIO;
    }

    /** A stage's failure without the wrapping of stages. */
    public static Throwable causeOf(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
