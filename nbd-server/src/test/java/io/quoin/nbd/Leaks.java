package io.quoin.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Buffers that were collected without having been released, as Netty's detector finds them.
 *
 * <p>Threading: thread-safe.
 */
final class Leaks {
    private static final List<String> FOUND = new CopyOnWriteArrayList<>();

    private Leaks() {}

    /** Must come before the first buffer is made. */
    static void watch() {
        ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(
                new ResourceLeakDetectorFactory() {
                    // The interface has this deprecated method only.
                    @SuppressWarnings("deprecation")
                    @Override
                    public <T> ResourceLeakDetector<T> newResourceLeakDetector(
                            Class<T> resource, int samplingInterval, long maxActive) {
                        return new Recorder<>(resource, samplingInterval);
                    }
                });
    }

    private static final class Recorder<T> extends ResourceLeakDetector<T> {
        // The constructor that is not deprecated takes no interval.
        @SuppressWarnings("deprecation")
        Recorder(Class<T> resource, int samplingInterval) {
            super(resource, samplingInterval);
        }

        @Override
        protected boolean needReport() {
            return true;
        }

        @Override
        protected void reportTracedLeak(String resourceType, String records) {
            FOUND.add(resourceType + records);
        }

        @Override
        protected void reportUntracedLeak(String resourceType) {
            FOUND.add(resourceType);
        }
    }

    static void check() {
        System.gc();
        // A detector looks for leaks when the next buffer is made.
        ByteBuf probe = PooledByteBufAllocator.DEFAULT.directBuffer(1);
        probe.release();
        if (!FOUND.isEmpty()) {
            String first = FOUND.get(0);
            FOUND.clear();
            throw new AssertionError("buffer leaked: " + first);
        }
    }
}
