package io.quoin.stripe;

import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A child on a machine that loses power after so many changes of all its children: later ones are
 * never made and never answered. Changes that are under way at once are made in the loop's order.
 *
 * <p>Threading: confined to the test.
 */
final class CrashingXlator extends PassThroughXlator {
    /** Shared by the children. */
    static final class Power {
        int changesLeft = Integer.MAX_VALUE;
        int looseWrites;

        private boolean isOn() {
            return changesLeft-- > 0;
        }
    }

    private final Power power;
    private final Loop loop;

    CrashingXlator(MemoryXlator below, Power power, Loop loop) {
        super(below.name(), "testkit/crashing", below);
        this.power = power;
        this.loop = loop;
    }

    private CompletionStage<Void> change(Supplier<CompletionStage<Void>> call) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(
                () -> {
                    if (power.isOn()) {
                        call.get()
                                .whenComplete(
                                        (none, failure) -> {
                                            if (failure == null) {
                                                done.complete(null);
                                            } else {
                                                done.completeExceptionally(failure);
                                            }
                                        });
                    }
                });
        return done;
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return change(() -> subvolume().create(fileName, options));
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return change(() -> subvolume().rename(fileName, newFileName));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return change(() -> subvolume().replace(fileName, byFileName));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return change(() -> subvolume().remove(fileName));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop on) {
        return subvolume().open(fileName, options, on).thenApply(CrashingFile::new);
    }

    private final class CrashingFile extends PassThroughFile {
        CrashingFile(XlatorFile below) {
            super(below);
        }

        @Override
        public void submit(IoRequest request) {
            if (!request.op().changesData()) {
                below().submit(request);
                return;
            }
            boolean isHeader = request.offsetBytes() < PartHeaderLayout.DATA_OFFSET;
            if (isHeader && !request.has(IoFlags.FUA)) {
                power.looseWrites++;
            }
            loop.execute(
                    () -> {
                        if (power.isOn()) {
                            below().submit(request);
                        }
                    });
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            return change(() -> below().resize(newSizeBytes));
        }

        @Override
        public CompletionStage<Void> shrink(long newSizeBytes) {
            return change(() -> below().shrink(newSizeBytes));
        }
    }
}
