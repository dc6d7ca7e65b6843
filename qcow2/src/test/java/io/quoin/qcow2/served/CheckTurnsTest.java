package io.quoin.qcow2.served;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CheckTurnsTest {
    private final CheckTurns turns = new CheckTurns();
    private final List<String> ran = new ArrayList<>();

    @Test
    void shouldRunOneAfterTheOtherWhenSeveralAreWanted() {
        turns.take(() -> ran.add("first"));
        turns.take(() -> ran.add("second"));
        turns.take(() -> ran.add("third"));
        assertThat(ran).containsExactly("first");
        turns.end();
        assertThat(ran).containsExactly("first", "second");
        turns.end();
        turns.end();
        turns.take(() -> ran.add("fourth"));
        assertThat(ran).containsExactly("first", "second", "third", "fourth");
    }

    @Test
    void shouldLeaveOutWhatIsCancelledWhenItsTurnHasNotCome() {
        Runnable first = () -> ran.add("first");
        Runnable second = () -> ran.add("second");
        turns.take(first);
        turns.take(second);
        turns.take(() -> ran.add("third"));
        assertThat(turns.cancel(first)).isFalse();
        assertThat(turns.cancel(second)).isTrue();
        turns.end();
        assertThat(ran).containsExactly("first", "third");
    }
}
