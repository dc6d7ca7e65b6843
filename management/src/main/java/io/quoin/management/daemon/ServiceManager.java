package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.brick.posix.InheritedSocket;
import io.quoin.brick.posix.NotifySocket;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What started this service and looks after it, as systemd does: it may hand over a socket that
 * listens (sd_listen_fds(3)), hears when clients are served and when that ends (sd_notify(3)), and
 * may want to hear again and again that all loops still work (sd_watchdog_enabled(3)). Without one
 * nothing is told.
 *
 * <p>Threading: thread-safe.
 */
public final class ServiceManager implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);
    private static final int FIRST_DESCRIPTOR = 3;

    /** A loop has time for two more rounds before the service is given up. */
    private static final int ROUNDS = 3;

    private final @Nullable InheritedSocket inherited;
    private final @Nullable NotifySocket notify;
    private final long watchdogMicros;
    private @Nullable ScheduledExecutorService watchdog;

    private ServiceManager(
            @Nullable InheritedSocket inherited,
            @Nullable NotifySocket notify,
            long watchdogMicros) {
        this.inherited = inherited;
        this.notify = notify;
        this.watchdogMicros = watchdogMicros;
    }

    /**
     * Reads what it has left in the environment, which is for the process of that number alone.
     *
     * @throws BlockException EINVAL for what a socket is handed over that is none, or several are
     */
    public static ServiceManager of(Map<String, String> environment, long pid) {
        boolean isForUs = environment.getOrDefault("LISTEN_PID", "").equals(Long.toString(pid));
        int count = isForUs ? (int) number(environment, "LISTEN_FDS") : 0;
        if (count > 1) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "too many sockets were handed over: LISTEN_FDS="
                            + count
                            + ", expected=1, that of NBD clients");
        }
        InheritedSocket inherited = count == 1 ? InheritedSocket.take(FIRST_DESCRIPTOR) : null;
        String name = environment.getOrDefault("NOTIFY_SOCKET", "");
        String watched = environment.getOrDefault("WATCHDOG_PID", "");
        boolean isWatched = watched.isEmpty() || watched.equals(Long.toString(pid));
        return new ServiceManager(
                inherited,
                name.isEmpty() ? null : open(name),
                isWatched ? number(environment, "WATCHDOG_USEC") : 0);
    }

    /** One that cannot be reached is no reason to serve nothing. */
    private static @Nullable NotifySocket open(String name) {
        try {
            return NotifySocket.open(name);
        } catch (BlockException e) {
            LOG.warn("Service manager cannot be told anything: {}", e.getMessage());
            return null;
        }
    }

    private static long number(Map<String, String> environment, String name) {
        String text = environment.getOrDefault(name, "0");
        if (!text.matches("\\d{1,18}")) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal number: " + name + "=" + text + ", expected=digits");
        }
        return Long.parseLong(text);
    }

    /** The socket that it has made for NBD clients; null if it has made none. */
    public @Nullable InheritedSocket inherited() {
        return inherited;
    }

    /** Clients are served from now on; and as long as all of these loops work, it is told that. */
    public void ready(List<? extends Loop> loops) {
        tell("READY=1\nSTATUS=Serving");
        if (notify != null && watchdogMicros > 0) {
            watch(loops);
        }
    }

    // The task catches what may fail.
    @SuppressWarnings("FutureReturnValueIgnored")
    private synchronized void watch(List<? extends Loop> loops) {
        ScheduledExecutorService timer =
                Executors.newSingleThreadScheduledExecutor(
                        task -> {
                            Thread thread = new Thread(task, "quoin-watchdog");
                            thread.setDaemon(true);
                            return thread;
                        });
        watchdog = timer;
        AtomicInteger awaited = new AtomicInteger();
        long periodMicros = Math.max(1, watchdogMicros / ROUNDS);
        timer.scheduleAtFixedRate(
                () -> round(loops, awaited), 0, periodMicros, TimeUnit.MICROSECONDS);
    }

    /** Tells that all is well if each loop has done what the round before had asked it for. */
    private void round(List<? extends Loop> loops, AtomicInteger awaited) {
        if (awaited.get() > 0) {
            return;
        }
        tell("WATCHDOG=1");
        awaited.set(loops.size());
        loops.forEach(loop -> loop.execute(awaited::decrementAndGet));
    }

    private void tell(String state) {
        NotifySocket socket = notify;
        try {
            if (socket != null) {
                socket.send(state);
            }
        } catch (BlockException e) {
            LOG.warn("Service manager does not hear: state={}, reason={}", state, e.getMessage());
        }
    }

    /** Says that the service ends; to be called before it does. */
    @Override
    public synchronized void close() {
        tell("STOPPING=1");
        ScheduledExecutorService timer = watchdog;
        if (timer != null) {
            timer.shutdownNow();
        }
    }
}
