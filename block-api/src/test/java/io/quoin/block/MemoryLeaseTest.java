package io.quoin.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/** What is cut out of leased memory is leased; what has anything else in it is not. */
class MemoryLeaseTest {
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(8192));

    private static MemoryLease lease() {
        return new MemoryLease() {
            @Override
            public void retain() {}

            @Override
            public void release() {}
        };
    }

    private IoVector leased(MemoryLease lease, int index) {
        IoVector vector = new IoVector();
        vector.add(memory, index, 1024);
        vector.add(memory, index + 2048, 1024);
        vector.leased(lease);
        return vector;
    }

    @Test
    void shouldLeaseSlicesOfOneOwner() {
        MemoryLease lease = lease();
        IoVector whole = leased(lease, 0);
        IoVector slice = new IoVector();
        slice.addSlice(whole, 512, 1024);
        slice.addSlice(whole, 0, 512);
        assertThat(slice.lease()).isSameAs(lease);
        slice.clear();
        assertThat(slice.lease()).isNull();
    }

    @Test
    void shouldNotLeaseWhatHasMemoryOfAnother() {
        MemoryLease lease = lease();
        IoVector withUnleased = new IoVector();
        withUnleased.addSlice(leased(lease, 0), 0, 512);
        withUnleased.add(memory, 7168, 512);
        assertThat(withUnleased.lease()).isNull();

        IoVector unleasedFirst = new IoVector();
        unleasedFirst.add(memory, 7168, 512);
        unleasedFirst.addSlice(leased(lease, 0), 0, 512);
        assertThat(unleasedFirst.lease()).isNull();

        IoVector ofTwo = new IoVector();
        ofTwo.addSlice(leased(lease, 0), 0, 512);
        ofTwo.addSlice(leased(lease(), 1024), 0, 512);
        assertThat(ofTwo.lease()).isNull();
    }
}
