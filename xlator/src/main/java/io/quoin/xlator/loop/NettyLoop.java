package io.quoin.xlator.loop;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.quoin.block.IoRequestPool;
import io.quoin.block.Uncaught;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A {@link Loop} that is a Netty event loop, so that sockets and files of a disk share one thread.
 *
 * <p>Threading: thread-safe.
 */
public final class NettyLoop implements Loop {
    private final String name;
    private final EventLoop eventLoop;
    private final Consumer<Throwable> whenTaskFails;
    private final IoRequestPool requests = new IoRequestPool();

    // Netty takes up what was scheduled only after it has looked at the sockets; what was given to
    // execute() it runs before, for up to a second.
    private final Turns turns = new Turns(System::nanoTime, turn -> schedule(0, turn));

    NettyLoop(String name, EventLoop eventLoop, Consumer<Throwable> whenTaskFails) {
        this.name = name;
        this.eventLoop = eventLoop;
        this.whenTaskFails = whenTaskFails;
    }

    /** For the modules that speak to sockets. */
    public EventLoop eventLoop() {
        return eventLoop;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean inLoop() {
        return eventLoop.inEventLoop();
    }

    @Override
    public void execute(Runnable task) {
        eventLoop.execute(watched(task));
    }

    private Runnable watched(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                Uncaught.report(name, e);
                whenTaskFails.accept(e);
            }
        };
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        ScheduledFuture<?> future =
                eventLoop.schedule(watched(task), delayNanos, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    @Override
    public void giveWay(Runnable task) {
        turns.add(task);
    }

    @Override
    public IoRequestPool requests() {
        return requests;
    }
}
