package io.quoin.xlator.boundary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
@LogsErrors("file is fenced: node=node, file=held")
class BoundaryFileTest {
    private static final Capabilities ALL = Capabilities.DISK;
    private static final Capabilities FEW = Capabilities.of(Capability.WRITE);

    private final VirtualLoopGroup group = new VirtualLoopGroup(2);
    private final VirtualLoop loop = group.loop(0);
    private final HeldFile held = new HeldFile();
    private final List<FileEvent> events = new ArrayList<>();

    private BoundaryFile boundary(boolean costly) {
        return new BoundaryFile(
                held, loop, "node", events::add, () -> held.wasForgotten = true, costly);
    }

    /** Holds what it gets until the test says how it ends. */
    private static final class HeldFile implements XlatorFile {
        private final ArrayDeque<IoRequest> requests = new ArrayDeque<>();
        private Capabilities capabilities = ALL;
        private Geometry geometry =
                Geometry.ofSize(1 << 20).blockSizes(512, 4096).transferMax(1 << 16);
        private boolean wasForgotten;
        private boolean wasClosed;
        private BlockError aborted = BlockError.OK;
        private boolean throwsOnSubmit;

        @Override
        public String fileName() {
            return "held";
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            geometry = geometry.withSizeBytes(newSizeBytes);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Map<String, Object> details() {
            return Map.of();
        }

        @Override
        public void abort(BlockError error) {
            aborted = error;
        }

        @Override
        public CompletionStage<Void> close() {
            wasClosed = true;
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Geometry geometry() {
            return geometry;
        }

        @Override
        public Capabilities capabilities() {
            return capabilities;
        }

        @Override
        public void submit(IoRequest request) {
            if (throwsOnSubmit) {
                throw new IllegalStateException("broken");
            }
            requests.add(request);
        }
    }

    @ParameterizedTest
    @CsvSource({
        // op, offset, length, flags, expected
        "READ, 0, 65536, 0, held",
        "READ, 1048064, 512, 0, held",
        "READ, 0, 66048, 0, EINVAL",
        "READ, 1, 512, 0, EINVAL",
        "READ, 0, 513, 0, EINVAL",
        "READ, 1048576, 512, 0, EINVAL",
        "READ, -512, 512, 0, EINVAL",
        "READ, 9223372036854775296, 1024, 0, EINVAL",
        "READ, 0, 512, 1, EINVAL",
        "WRITE, 0, 512, 1, held",
        "WRITE, 1048064, 1024, 0, ENOSPC",
        "WRITE, 1048576, 512, 0, ENOSPC",
        "WRITE, 9223372036854775296, 1024, 0, EINVAL",
        "WRITE, 0, 512, 2, EINVAL",
        "WRITE_ZEROES, 0, 1048576, 7, held",
        "WRITE_ZEROES, 0, 1049088, 0, ENOSPC",
        "DISCARD, 0, 1048576, 0, held",
        "DISCARD, 0, 1049088, 0, EINVAL",
        "DISCARD, 0, 512, 4, EINVAL",
        "FLUSH, 0, 0, 0, held",
        "FLUSH, 0, 512, 0, EINVAL",
        "CACHE, 0, 1048576, 0, held",
        "CACHE, 0, 1049088, 0, EINVAL",
        "BLOCK_STATUS, 0, 512, 0, EINVAL",
    })
    void shouldPassOnlyWhatIsLegal(IoOp op, long offset, long length, int flags, String expected) {
        for (boolean costly : new boolean[] {false, true}) {
            FileDriver driver = new FileDriver(boundary(costly), loop);
            Pending pending = driver.submit(request(op, offset, length, flags));
            if (expected.equals("held")) {
                assertThat(pending.isDone()).isFalse();
                assertThat(held.requests.peek()).hasToString(pending.request().toString());
                loop.run(() -> held.requests.remove().complete(BlockError.EIO));
                assertThat(pending.error()).isEqualTo(BlockError.EIO);
            } else {
                assertThat(pending.error()).isEqualTo(BlockError.valueOf(expected));
                assertThat(held.requests).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "WRITE, 1, ENOTSUP",
        "WRITE, 32, ENOTSUP",
        "WRITE_ZEROES, 4, ENOTSUP",
        "DISCARD, 0, ENOTSUP",
        "WRITE, 0, held",
        "WRITE_ZEROES, 2, held"
    })
    void shouldRefuseWhatTheFileCannot(IoOp op, int flags, String expected) {
        held.capabilities = FEW;
        Pending pending = new FileDriver(boundary(false), loop).submit(request(op, 0, 512, flags));
        String outcome = pending.isDone() ? pending.error().name() : "held";
        assertThat(outcome).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"WRITE", "WRITE_ZEROES", "DISCARD"})
    void shouldRefuseChangesWhenTheFileIsReadOnly(IoOp op) {
        held.capabilities = ALL.readOnly();
        Pending pending = new FileDriver(boundary(false), loop).submit(request(op, 0, 512, 0));
        assertThat(pending.error()).isEqualTo(BlockError.EPERM);
    }

    @Test
    void shouldSeeTheNewSizeWhenResized() {
        BoundaryFile file = boundary(false);
        FileDriver driver = new FileDriver(file, loop);
        group.await(loop.call(() -> file.resize(512)));
        assertThat(driver.submit(request(IoOp.READ, 512, 512, 0)).error())
                .isEqualTo(BlockError.EINVAL);
        group.await(loop.call(() -> file.resize(2048)));
        assertThat(driver.submit(request(IoOp.READ, 512, 512, 0)).isDone()).isFalse();
    }

    @Test
    void shouldFenceWhenALayerCompletesTwice() {
        BoundaryFile file = boundary(true);
        FileDriver driver = new FileDriver(file, loop);
        Pending pending = driver.submit(request(IoOp.WRITE, 0, 512, 0));
        IoRequest below = held.requests.remove();
        loop.run(() -> below.complete(BlockError.OK));
        assertThat(pending.error()).isEqualTo(BlockError.OK);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> loop.run(() -> below.complete(BlockError.OK)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessage("request completed more than once: node=node, file=held");
        }
        assertThat(file.isFenced()).isTrue();
        assertThat(driver.submit(request(IoOp.WRITE, 0, 512, 0)).error()).isEqualTo(BlockError.EIO);
        assertThat(driver.flush()).isEqualTo(BlockError.EIO);
        Pending read = driver.submit(request(IoOp.READ, 0, 512, 0));
        loop.run(() -> held.requests.remove().complete(BlockError.OK));
        assertThat(read.error()).isEqualTo(BlockError.OK);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAnswerOnItsLoopWhenALayerStrays(boolean costly) {
        BoundaryFile file = boundary(costly);
        Pending pending = new FileDriver(file, loop).submit(request(IoOp.WRITE, 0, 512, 0));
        IoRequest below = held.requests.remove();
        assertThatThrownBy(() -> group.loop(1).run(() -> below.complete(BlockError.OK)))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("request completed outside of its loop");
        assertThat(pending.isDone()).isFalse();
        group.runReady();
        assertThat(pending.error()).isEqualTo(BlockError.EIO);
        assertThat(file.isFenced()).isTrue();
        assertThat(file.inFlight()).isZero();
    }

    @Test
    void shouldFenceWhenSubmittedOutsideOfItsLoop() {
        BoundaryFile file = boundary(false);
        IoRequest request = request(IoOp.READ, 0, 512, 0);
        request.push((completed, error) -> {});
        assertThatThrownBy(() -> file.submit(request))
                .hasMessageStartingWith("request submitted outside of its loop");
        assertThat(file.isFenced()).isTrue();
    }

    @Test
    void shouldFenceWhenASubmitThrows() {
        BoundaryFile file = boundary(false);
        held.throwsOnSubmit = true;
        assertThatThrownBy(() -> new FileDriver(file, loop).submit(request(IoOp.READ, 0, 512, 0)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(file.isFenced()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldFenceWhenACompletionThrows(boolean costly) {
        BoundaryFile file = boundary(costly);
        IoRequest request = request(IoOp.READ, 0, 512, 0);
        request.push(
                (done, error) -> {
                    throw new IllegalStateException("broken");
                });
        loop.run(() -> file.submit(request));
        assertThatThrownBy(() -> loop.run(() -> held.requests.remove().complete(BlockError.OK)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(file.isFenced()).isTrue();
        assertThat(file.inFlight()).isZero();
        FileDriver driver = new FileDriver(file, loop);
        assertThat(driver.write(0, new byte[512], IoFlags.NONE)).isEqualTo(BlockError.EIO);
    }

    @Test
    void shouldFenceWhenATaskOfTheFileThrows() {
        BoundaryFile file = boundary(false);
        FileLoop above = new FileLoop(loop, cause -> {});
        FileLoop own = new FileLoop(above, file::taskFailed);
        assertThat(own).isEqualTo(above).hasSameHashCodeAs(above);
        own.execute(
                () -> {
                    throw new IllegalStateException("broken");
                });
        assertThatThrownBy(group::runReady).isInstanceOf(IllegalStateException.class);
        assertThat(file.isFenced()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1024, 0", "512, 4"})
    void shouldFenceWhenTheAnswerCannotBe(long extentLength, int status) {
        BoundaryFile file = boundary(true);
        FileDriver driver = new FileDriver(file, loop);
        Pending pending =
                driver.submit(request(IoOp.BLOCK_STATUS, 0, 512, 0).extents(new ExtentList(8)));
        IoRequest below = held.requests.remove();
        ExtentList extents = below.extents();
        if (extentLength > 0) {
            extents.add(extentLength, status);
        }
        assertThatThrownBy(() -> loop.run(() -> below.complete(BlockError.OK)))
                .isInstanceOf(AssertionError.class);
        assertThat(pending.error()).isEqualTo(BlockError.EIO);
        assertThat(file.isFenced()).isTrue();
    }

    @Test
    void shouldFenceWhenASparseAnswerLeavesABit() {
        BoundaryFile file = boundary(true);
        IoRequest read = request(IoOp.READ, 0, 1024, IoFlags.SPARSE).extents(new ExtentList(8));
        Pending pending = new FileDriver(file, loop).submit(read);
        IoRequest below = held.requests.remove();
        below.extents().add(512, BlockStatus.ZERO);
        assertThatThrownBy(() -> loop.run(() -> below.complete(BlockError.OK)))
                .hasMessageStartingWith("sparse read reports another range");
        assertThat(pending.error()).isEqualTo(BlockError.EIO);
    }

    @Test
    void shouldCloseOnceWhatIsInFlightHasEnded() {
        BoundaryFile file = boundary(false);
        Pending pending = new FileDriver(file, loop).submit(request(IoOp.READ, 0, 512, 0));
        CompletionStage<Void> closing = loop.call(file::close);
        group.runReady();
        assertThat(held.wasClosed).isFalse();
        loop.run(() -> held.requests.remove().complete(BlockError.OK));
        assertThat(pending.error()).isEqualTo(BlockError.OK);
        assertThat(held.wasClosed).isFalse();
        group.await(closing);
        assertThat(held.wasClosed).isTrue();
        assertThat(held.wasForgotten).isTrue();
        assertThat(new FileDriver(file, loop).flush()).isEqualTo(BlockError.ESHUTDOWN);
        assertThat(loop.call(file::close)).isCompletedExceptionally();
        assertThatThrownBy(() -> group.await(loop.call(() -> file.resize(0))))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ESHUTDOWN));
    }

    /** Its request never ends: a close that waited for that would never end either. */
    @Test
    void shouldRefuseToCloseWhenASubmitHasThrown() {
        BoundaryFile file = boundary(false);
        held.throwsOnSubmit = true;
        FileDriver driver = new FileDriver(file, loop);
        assertThatThrownBy(() -> driver.submit(request(IoOp.READ, 0, 512, 0)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(loop.call(file::close)).isCompletedExceptionally();
        assertThat(held.wasClosed).isFalse();
    }

    @Test
    void shouldRefuseWithItsErrorOnceAborted() {
        BoundaryFile file = boundary(false);
        FileDriver driver = new FileDriver(file, loop);
        Pending pending = driver.submit(request(IoOp.WRITE, 0, 512, 0));
        loop.run(() -> file.abort(BlockError.EBADE));
        assertThat(held.aborted).isEqualTo(BlockError.EBADE);
        assertThat(driver.perform(request(IoOp.READ, 0, 512, 0))).isEqualTo(BlockError.EBADE);
        assertThat(driver.flush()).isEqualTo(BlockError.EBADE);
        loop.run(() -> held.requests.remove().complete(BlockError.EBADE));
        assertThat(pending.error()).isEqualTo(BlockError.EBADE);
        group.await(loop.call(file::close));
    }

    @Test
    void shouldAskForCapabilitiesAnewWhenToldThatTheyHaveChanged() {
        BoundaryFile file = boundary(false);
        FileDriver driver = new FileDriver(file, loop);
        held.capabilities = ALL.readOnly();
        assertThat(file.capabilities().canWrite()).isTrue();
        FileEvent changed =
                new FileEvent(FileEvent.Kind.CAPABILITIES_CHANGED, "below", "read-only");
        loop.run(() -> file.happened(changed));
        assertThat(file.capabilities().canWrite()).isFalse();
        assertThat(driver.perform(request(IoOp.WRITE, 0, 512, 0))).isEqualTo(BlockError.EPERM);
        assertThat(events).containsExactly(changed);
    }

    @Test
    void shouldTellAResizeOnceAndNothingAfterTheClose() {
        BoundaryFile file = boundary(false);
        group.await(loop.call(() -> file.resize(2 << 20)));
        FileEvent fromBelow = new FileEvent(FileEvent.Kind.RESIZED, "below", "");
        loop.run(() -> file.happened(fromBelow));
        group.runReady();
        assertThat(events)
                .containsExactly(
                        new FileEvent(FileEvent.Kind.RESIZED, "node", "sizeBytes=" + (2 << 20)));
        group.await(loop.call(file::close));
        loop.run(() -> file.happened(new FileEvent(FileEvent.Kind.CHILD_DOWN, "below", "late")));
        assertThat(events).hasSize(1);
    }

    private static IoRequest request(IoOp op, long offset, long length, int flags) {
        IoRequest request = new IoRequest().prepare(op, offset, length, flags);
        if (op.hasMemory() && length > 0) {
            request.memory().add(FileDriver.direct((int) length), 0, (int) length);
        }
        return request;
    }
}
