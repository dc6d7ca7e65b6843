package io.quoin.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HistoryTest {
    private final History history = new History();

    private History.Operation write(long stamp) {
        History.Operation write = history.begin(1, History.Kind.WRITE, 0, stamp);
        history.end(write, null);
        return write;
    }

    private void read(long epoch, long stamp) {
        history.end(history.begin(epoch, History.Kind.READ, 0, 0), SimDisk.block(stamp));
    }

    private void flush() {
        history.end(history.begin(1, History.Kind.FLUSH, -1, 0), null);
    }

    @Test
    void shouldFailWhenAReadIsStale() {
        write(1);
        write(2);
        read(1, 1);
        assertThatThrownBy(history::check).hasMessageContaining("not linearizable");
    }

    @Test
    void shouldFailWhenAnAcknowledgedWriteIsLost() {
        write(1);
        read(1, 0);
        assertThatThrownBy(history::check).hasMessageContaining("not linearizable");
    }

    @Test
    void shouldFailWhenAValueWasNeverWritten() {
        read(1, 9);
        assertThatThrownBy(history::check).hasMessageContaining("lost or stale");
    }

    @Test
    void shouldFailWhenAFlushedWriteIsLostWithTheCache() {
        write(1);
        write(2);
        flush();
        history.lost(2, history.tick());
        read(2, 1);
        assertThatThrownBy(history::check).hasMessageContaining("flushed write lost");
    }

    @Test
    void shouldPassWhenAnUnflushedWriteIsLostWithTheCache() {
        write(1);
        flush();
        write(2);
        history.lost(2, history.tick());
        read(2, 1);
        history.check();
    }

    @Test
    void shouldFailWhenTwoOldValuesAreReadAfterALoss() {
        write(1);
        write(2);
        history.lost(2, history.tick());
        read(2, 1);
        read(2, 2);
        assertThatThrownBy(history::check).hasMessageContaining("lost or stale");
    }

    @Test
    void shouldAgreeWithASearchOfAllOrdersWhenHistoriesAreSmall() {
        Random random = new Random(1);
        int legal = 0;
        int count = 5000;
        for (int i = 0; i < count; i++) {
            History drawn = new History();
            List<History.Operation> operations = draw(drawn, random);
            boolean isLegal = isLegal(new ArrayList<>(operations), 0);
            legal += isLegal ? 1 : 0;
            boolean isPassed = true;
            try {
                drawn.check();
            } catch (AssertionError e) {
                isPassed = false;
            }
            assertThat(isPassed).as("history %d", i).isEqualTo(isLegal);
        }
        assertThat(legal).isBetween(count / 20, count - count / 20);
    }

    private static List<History.Operation> draw(History history, Random random) {
        List<History.Operation> open = new ArrayList<>();
        List<History.Operation> all = new ArrayList<>();
        long written = 0;
        for (int step = 0; step < 12; step++) {
            if (all.size() < 6 && random.nextBoolean()) {
                boolean isWrite = random.nextBoolean();
                History.Kind kind = isWrite ? History.Kind.WRITE : History.Kind.READ;
                History.Operation begun = history.begin(1, kind, 0, isWrite ? ++written : 0);
                open.add(begun);
                all.add(begun);
            } else if (!open.isEmpty()) {
                History.Operation ended = open.remove(random.nextInt(open.size()));
                history.end(ended, SimDisk.block(random.nextLong(written + 1)));
            }
        }
        return all;
    }

    /** Wing and Gong: any operation that no other precedes may come next. */
    private static boolean isLegal(List<History.Operation> left, long value) {
        if (left.stream().noneMatch(History.Operation::isEnded)) {
            return true;
        }
        for (History.Operation next : left) {
            boolean isFirst = left.stream().noneMatch(other -> other.ended < next.began);
            boolean isWrite = next.kind == History.Kind.WRITE;
            if (isFirst && (isWrite || !next.isEnded() || next.values[0] == value)) {
                List<History.Operation> rest = new ArrayList<>(left);
                rest.remove(next);
                if (isLegal(rest, isWrite ? next.values[0] : value)) {
                    return true;
                }
            }
        }
        return false;
    }
}
