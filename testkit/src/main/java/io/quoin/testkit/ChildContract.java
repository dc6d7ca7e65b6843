package io.quoin.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.MemoryLease;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.fault.UnreliableXlator;
import io.quoin.testkit.fault.UnreliableXlator.Behaviour;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What an xlator keeps to above a child that is late, that never answers, that goes away, and that
 * goes on reading what it was given to write (docs/adr/0022).
 *
 * <p>Threading: confined to the test.
 */
@Timeout(120)
public abstract class ChildContract extends ContractBed {
    private static final int WRITES = 8;
    private static final int WRITE_BYTES = 64 << 10;

    private final List<FileEvent> events = new ArrayList<>();
    private @Nullable UnreliableXlator child;

    /** The xlator under test above {@code below}, which is behind a boundary. */
    protected abstract Xlator above(Xlator below, VirtualLoopGroup loops);

    @Override
    protected final Xlator createXlator(VirtualLoopGroup loops) {
        UnreliableXlator unreliable =
                new UnreliableXlator("child", new BoundaryXlator(new MemoryXlator("brick")));
        child = unreliable;
        return above(new BoundaryXlator(unreliable), loops);
    }

    private UnreliableXlator child() {
        UnreliableXlator made = child;
        if (made == null) {
            throw new AssertionError("no child has been made");
        }
        return made;
    }

    /** A new file with data in all of it, flushed, so that writes go in place. */
    private FileDriver filled() {
        create("a");
        OpenOptions options = OpenOptions.READ_WRITE.listener(events::add);
        XlatorFile file = await(xlator().open(fileName("a"), options, loop()));
        track(file);
        FileDriver driver = drive(file);
        for (int i = 0; i < WRITES; i++) {
            byte[] data = pattern(WRITE_BYTES, i);
            assertThat(driver.write((long) i * WRITE_BYTES, data, IoFlags.NONE))
                    .isEqualTo(BlockError.OK);
        }
        assertThat(driver.perform(new IoRequest().flush())).isEqualTo(BlockError.OK);
        return driver;
    }

    private List<Pending> startWrites(FileDriver driver, long seed) {
        List<Pending> writes = new ArrayList<>();
        for (int i = 0; i < WRITES; i++) {
            byte[] data = pattern(WRITE_BYTES, seed + i);
            writes.add(driver.startWrite((long) i * WRITE_BYTES, data, IoFlags.NONE));
        }
        return writes;
    }

    private void checkContent(FileDriver driver, long seed) {
        for (int i = 0; i < WRITES; i++) {
            assertThat(driver.read((long) i * WRITE_BYTES, WRITE_BYTES))
                    .isEqualTo(pattern(WRITE_BYTES, seed + i));
        }
    }

    @Test
    void shouldWaitForAChildThatStraggles() {
        FileDriver driver = filled();
        child().behave(Behaviour.STRAGGLES);
        group().runReady();
        for (Pending write : startWrites(driver, 100)) {
            assertThat(driver.await(write)).isEqualTo(BlockError.OK);
        }
        checkContent(driver, 100);
    }

    @Test
    void shouldCloseOnceWhatIsInFlightHasEnded() {
        FileDriver driver = filled();
        child().behave(Behaviour.STRAGGLES);
        group().runReady();
        List<Pending> writes = startWrites(driver, 200);
        XlatorFile file = (XlatorFile) driver.device();
        forget(file);
        CompletionStage<Void> closing = loop().call(file::close);
        Pending late = driver.startWrite(0, pattern(WRITE_BYTES, 1), IoFlags.NONE);
        assertThat(driver.await(late)).isEqualTo(BlockError.ESHUTDOWN);
        await(closing);
        for (Pending write : writes) {
            assertThat(write.isDone()).isTrue();
            assertThat(write.error()).isEqualTo(BlockError.OK);
        }
        child().behave(Behaviour.ANSWERS);
        checkContent(drive(open("a", OpenMode.READ_ONLY)), 200);
    }

    @Test
    void shouldEndEverythingWhenAChildThatHangsIsGivenUp() {
        FileDriver driver = filled();
        child().behave(Behaviour.HANGS);
        group().runReady();
        List<Pending> pending = new ArrayList<>(startWrites(driver, 300));
        pending.add(driver.submit(new IoRequest().flush()));
        group().advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(pending).noneMatch(Pending::isDone);

        XlatorFile file = (XlatorFile) driver.device();
        loop().run(() -> file.abort(BlockError.ETIMEDOUT));
        for (Pending one : pending) {
            assertThat(driver.await(one)).isNotEqualTo(BlockError.OK);
        }
        Pending later = driver.startWrite(0, pattern(WRITE_BYTES, 1), IoFlags.NONE);
        assertThat(driver.await(later)).isEqualTo(BlockError.ETIMEDOUT);
        closeWhateverIsLost(file);
    }

    @Test
    void shouldCloseWithAChildThatHangsWhenItIsGivenUpAfterwards() {
        FileDriver driver = filled();
        child().behave(Behaviour.HANGS);
        group().runReady();
        List<Pending> writes = startWrites(driver, 400);
        XlatorFile file = (XlatorFile) driver.device();
        forget(file);
        CompletableFuture<Void> closing = loop().call(() -> file.close().toCompletableFuture());
        group().advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(closing).isNotDone();
        loop().run(() -> file.abort(BlockError.ENOTCONN));
        group().runUntil(closing::isDone);
        assertThat(writes).allMatch(Pending::isDone);
    }

    @Test
    void shouldFailAndTellWhenAChildGoesAway() {
        FileDriver driver = filled();
        child().behave(Behaviour.HANGS);
        group().runReady();
        List<Pending> writes = startWrites(driver, 500);
        child().behave(Behaviour.GONE);
        for (Pending write : writes) {
            assertThat(driver.await(write)).isNotEqualTo(BlockError.OK);
        }
        group().runReady();
        assertThat(events).extracting(FileEvent::kind).contains(FileEvent.Kind.CHILD_DOWN);
        assertThat(events).extracting(FileEvent::node).contains("child");
        closeWhateverIsLost((XlatorFile) driver.device());
    }

    /** It may have to say that data are lost, but it ends. */
    private void closeWhateverIsLost(XlatorFile file) {
        forget(file);
        CompletableFuture<Void> closing = loop().call(() -> file.close().toCompletableFuture());
        group().runUntil(closing::isDone);
    }

    /** The memory of a write is another's as soon as its lease is not held any more. */
    @Test
    void shouldPassOnTheLeaseOfAPayloadThatAChildKeeps() {
        FileDriver driver = filled();
        child().behave(Behaviour.KEEPS_PAYLOADS);
        group().runReady();
        Lease lease = new Lease(WRITE_BYTES);
        lease.memory.putBytes(0, pattern(WRITE_BYTES, 600));
        IoRequest write = new IoRequest().write(0, WRITE_BYTES, IoFlags.NONE);
        write.memory().add(lease.memory, 0, WRITE_BYTES);
        write.memory().leased(lease);
        lease.retain();
        assertThat(driver.perform(write)).isEqualTo(BlockError.OK);
        lease.release();
        group().advance(TimeUnit.SECONDS.toNanos(1));
        assertThat(child().keptCount()).isPositive();
        assertThat(lease.isReused).isTrue();
        assertThat(driver.read(0, WRITE_BYTES)).isEqualTo(pattern(WRITE_BYTES, 600));
    }

    /** Memory that is overwritten once it is let go. */
    private static final class Lease implements MemoryLease {
        private final UnsafeBuffer memory;
        private int leases;
        private boolean isReused;

        Lease(int lengthBytes) {
            memory = FileDriver.direct(lengthBytes);
        }

        @Override
        public void retain() {
            leases++;
        }

        @Override
        public void release() {
            leases--;
            if (leases == 0) {
                isReused = true;
                memory.setMemory(0, memory.capacity(), (byte) 0x55);
            }
        }
    }
}
