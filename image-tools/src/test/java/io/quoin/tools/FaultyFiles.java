package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Files of which one request fails: it ends in an error, or comes back as an exception.
 *
 * <p>Threading: thread-safe.
 */
final class FaultyFiles extends PassThroughXlator {
    /** What happens instead of a request. */
    interface Fault {
        /** How the request ends; OK: as usual. */
        BlockError of(IoRequest request);
    }

    private final Predicate<String> names;
    private final Fault fault;

    private FaultyFiles(Xlator below, Predicate<String> names, Fault fault) {
        super("faulty", "testkit/faulty", below);
        this.names = names;
        this.fault = fault;
    }

    /** A session in which requests to files of these names may fail. */
    static ImageSession session(Predicate<String> names, Fault fault) {
        return new ImageSession(
                1, WrappedPosix.types(posix -> new FaultyFiles(posix, names, fault)));
    }

    /** The request of this kind that comes after {@code passed} others, and all later ones. */
    static Fault from(IoOp op, int passed, Fault fault) {
        AtomicInteger seen = new AtomicInteger();
        return request ->
                request.op() == op && seen.getAndIncrement() >= passed
                        ? fault.of(request)
                        : BlockError.OK;
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletionStage<XlatorFile> opened = subvolume().open(fileName, options, loop);
        return names.test(fileName) ? opened.thenApply(FaultyFile::new) : opened;
    }

    private final class FaultyFile extends PassThroughFile {
        FaultyFile(XlatorFile below) {
            super(below);
        }

        @Override
        public void submit(IoRequest request) {
            BlockError error = fault.of(request);
            if (error.isOk()) {
                below().submit(request);
            } else {
                request.complete(error);
            }
        }
    }
}
