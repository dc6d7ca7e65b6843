package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Counts of many clusters at once are those of each of them. */
@Timeout(60)
class CountPageTest {
    private static final int CLUSTERS = CountPage.CLUSTERS;

    private final long seed = Long.getLong("quoin.seed", new Random().nextInt());

    @Test
    void shouldCountAsOneByOneWhenRangesAreAdded() {
        System.out.println("count page: seed=" + seed + " (repeat with -Dquoin.seed)");
        Random random = new Random(seed);
        CountPage page = new CountPage();
        int[] model = new int[CLUSTERS];
        boolean[] copied = new boolean[CLUSTERS];
        boolean[] shared = new boolean[CLUSTERS];
        for (int i = 0; i < 2000; i++) {
            int from = random.nextInt(CLUSTERS);
            int to = Math.min(CLUSTERS, from + 1 + random.nextInt(300));
            boolean flag = random.nextInt(3) > 0;
            page.addShared(from, to, Long.MAX_VALUE);
            page.markShared(from, to, flag);
            for (int at = from; at < to; at++) {
                model[at]++;
                copied[at] |= flag;
                shared[at] |= !flag;
            }
        }
        long[] one = new long[CLUSTERS / Long.SIZE];
        boolean right = true;
        for (int at = 0; at < CLUSTERS; at++) {
            assertThat(page.get(at)).isEqualTo(model[at]);
            long eight = page.eightAt(at & -8);
            assertThat((int) (eight >>> ((at & 7) * 8)) & 0xff).isEqualTo(model[at]);
            if (copied[at]) {
                one[at >>> 6] |= 1L << at;
            }
            right &= !(copied[at] && shared[at]);
        }
        assertThat(page.isCopiedRight(one)).isEqualTo(right);
        page.widen();
        assertThat(page.get(CLUSTERS - 1)).isEqualTo(model[CLUSTERS - 1]);
        assertThat(page.eightAt(0)).isEqualTo(-1);
    }

    @Test
    void shouldSeeEachWrongFlag() {
        CountPage page = new CountPage();
        page.markShared(60, 70, true);
        page.markShared(100, 101, false);
        long[] one = new long[CLUSTERS / Long.SIZE];
        one[0] = 0xfL << 60;
        one[1] = 0x3f;
        assertThat(page.isCopiedRight(one)).isTrue();
        one[1] = 0x1f;
        assertThat(page.isCopiedRight(one)).isFalse();
        one[1] = 0x3f | 1L << 36;
        assertThat(page.isCopiedRight(one)).isFalse();
    }

    @Test
    void shouldBeIrregularWhenCountsAreTooHighOrClustersMetadata() {
        CountPage page = new CountPage();
        page.addShared(0, 64, 1);
        assertThatThrownBy(() -> page.addShared(63, 80, 1)).isInstanceOf(FindingException.class);
        assertThatThrownBy(() -> page.addShared(8, 16, 1)).isInstanceOf(FindingException.class);
        page.markL2(200);
        assertThatThrownBy(() -> page.addShared(128, 256, 9)).isInstanceOf(FindingException.class);
        page.addShared(201, 256, 9);
        page.markExclusive(300);
        assertThatThrownBy(() -> page.addShared(300, 301, 9)).isInstanceOf(FindingException.class);
        page.addShared(256, 300, 9);
        page.widen();
        assertThatThrownBy(() -> page.addShared(400, 401, 9)).isInstanceOf(FindingException.class);
    }
}
