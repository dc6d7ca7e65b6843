package io.quoin.qcow2.open;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How the rebuild of an image that was not closed ends when the machine fails it. */
@Timeout(60)
class DirtyImageTest {
    @Test
    @DisplayName("QCOW2 134: a rebuild that ends in an Error ends the open")
    void shouldEndWhenTheRebuildEndsInAnError() {
        VirtualLoopGroup loops = new VirtualLoopGroup(1);
        MemoryXlator brick = new MemoryXlator("brick");
        brick.put("disk.qcow2", new byte[512]);
        XlatorFile file =
                loops.await(brick.open("disk.qcow2", OpenOptions.READ_WRITE, loops.loop(0)));
        AtomicBoolean failed = new AtomicBoolean();
        Loop loop =
                (Loop)
                        Proxy.newProxyInstance(
                                Loop.class.getClassLoader(),
                                new Class<?>[] {Loop.class},
                                (proxy, method, arguments) -> {
                                    if (!failed.getAndSet(true)) {
                                        throw new OutOfMemoryError("for the test");
                                    }
                                    ((Runnable) arguments[0]).run();
                                    return null;
                                });
        CompletableFuture<Void> settled =
                DirtyImage.settle(file, "disk.qcow2", loop).toCompletableFuture();
        assertThatThrownBy(() -> settled.get(30, TimeUnit.SECONDS))
                .hasCauseInstanceOf(OutOfMemoryError.class);
    }
}
