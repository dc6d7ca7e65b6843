package io.quoin.nbd.transmission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which client may use how much payload memory. */
@Timeout(20)
final class MemoryShareTest {
    private static final long OWN = MemoryShare.OWN_BYTES;

    @Test
    void shouldNotTouchPoolWithinOwnShare() {
        MemoryPool pool = new MemoryPool(100);
        MemoryShare share = new MemoryShare(pool, 10 * OWN);
        MemoryShare other = new MemoryShare(pool, 10 * OWN);
        assertThat(share.tryCharge(OWN)).isTrue();
        assertThat(pool.freeBytes()).isEqualTo(100);
        assertThat(other.tryCharge(OWN + 1)).isTrue();
        assertThat(share.tryCharge(100)).isFalse();
        assertThat(share.tryCharge(99)).isTrue();
        assertThat(pool.freeBytes()).isZero();
        share.uncharge(OWN + 99);
        other.uncharge(OWN + 1);
        assertThat(pool.freeBytes()).isEqualTo(100);
    }

    @Test
    void shouldAllowMoreThanThePoolHasOnlyWhenNothingElseIsOutOfIt() {
        MemoryPool pool = new MemoryPool(100);
        MemoryShare large = new MemoryShare(pool, 10 * OWN);
        MemoryShare small = new MemoryShare(pool, 10 * OWN);
        assertThat(small.tryCharge(OWN + 1)).isTrue();
        assertThat(large.tryCharge(3 * OWN)).isFalse();
        small.uncharge(OWN + 1);
        assertThat(large.tryCharge(3 * OWN)).isTrue();
        assertThat(small.tryCharge(OWN + 1)).isFalse();
        large.uncharge(3 * OWN);
        assertThat(small.tryCharge(OWN + 1)).isTrue();
        assertThat(pool.freeBytes()).isEqualTo(99);
    }

    @Test
    void shouldAllowOneRequestBeyondLimitOnlyWhenNothingElseIsHeld() {
        MemoryShare share = new MemoryShare(new MemoryPool(100 * OWN), 2 * OWN);
        assertThat(share.allows(50 * OWN)).isTrue();
        assertThat(share.tryCharge(1)).isTrue();
        assertThat(share.allows(50 * OWN)).isFalse();
        assertThat(share.allows(OWN)).isTrue();
    }

    @Test
    void shouldWakeWaitersWhenMemoryIsReleased() {
        MemoryPool pool = new MemoryPool(10);
        MemoryShare holder = new MemoryShare(pool, 10 * OWN);
        MemoryShare waiting = new MemoryShare(pool, 10 * OWN);
        AtomicInteger woken = new AtomicInteger();
        assertThat(holder.tryCharge(OWN + 10)).isTrue();
        assertThat(waiting.tryCharge(OWN + 5)).isFalse();
        waiting.await(woken::incrementAndGet, OWN + 5);
        assertThat(woken).hasValue(0);
        holder.uncharge(6);
        assertThat(woken).hasValue(1);
        assertThat(waiting.tryCharge(OWN + 5)).isTrue();
        waiting.await(woken::incrementAndGet, 1);
        assertThat(woken).hasValue(2);
    }

    @Test
    void shouldFailWhenGivenBackMoreThanOnce() {
        MemoryShare share = new MemoryShare(new MemoryPool(1), OWN);
        share.charge(5);
        share.uncharge(5);
        assertThatThrownBy(() -> share.uncharge(1)).isInstanceOf(AssertionError.class);
    }
}
