package io.quoin.block.ring;

import io.quoin.block.Invariant;
import io.quoin.block.IoRequest;
import io.quoin.block.MemoryLease;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The lease of a joined write's memory: those of all its parts. They are looked for when it is
 * first retained, while the parts are still there.
 *
 * <p>Threading: confined to the ring's owner.
 */
final class JoinedLease implements MemoryLease {
    private final Consumer<JoinedLease> idle;
    private final List<MemoryLease> parts = new ArrayList<>();
    private @Nullable IoRequest firstWrite;
    private int leases;

    /**
     * @param idle takes it back for another write
     */
    JoinedLease(Consumer<JoinedLease> idle) {
        this.idle = idle;
    }

    /** The writes from {@code first} on are one from now on. */
    JoinedLease begin(IoRequest first) {
        firstWrite = first;
        return this;
    }

    /** The joined write has ended, and its parts are about to. */
    void end() {
        firstWrite = null;
        if (leases == 0) {
            idle.accept(this);
        }
    }

    /** Whether all writes from {@code first} on have leased memory. */
    static boolean isLeased(IoRequest first) {
        for (@Nullable IoRequest write = first; write != null; write = write.next()) {
            if (write.memory().lease() == null) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void retain() {
        if (leases == 0) {
            for (@Nullable IoRequest write = firstWrite; write != null; write = write.next()) {
                MemoryLease part = Objects.requireNonNull(write.memory().lease(), "part unleased");
                part.retain();
                parts.add(part);
            }
        }
        leases++;
    }

    @Override
    public void release() {
        Invariant.check(leases > 0, "payload released more often than retained");
        leases--;
        if (leases == 0) {
            parts.forEach(MemoryLease::release);
            parts.clear();
            if (firstWrite == null) {
                idle.accept(this);
            }
        }
    }
}
