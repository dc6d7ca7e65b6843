package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class ProcessTextTest {
    private static final List<String> PROCESS = List.of("java", "-cp", "x", "Main", "ls", "\uDCE4");

    @Test
    void shouldSplitAtEachNul() {
        byte[] bytes = {'a', 0, 0, (byte) 0xE4, 'b', 0};
        assertThat(ProcessText.split(bytes)).containsExactly("a", "", "\uDCE4b");
    }

    @Test
    void shouldTakeTheLastOfTheProcess() {
        assertThat(ProcessText.exact(List.of("ls", "?"), PROCESS)).containsExactly("ls", "\uDCE4");
        assertThat(ProcessText.exact(List.of("\uFFFD"), PROCESS)).containsExactly("\uDCE4");
    }

    @Test
    void shouldRefuseWhenTheyAreNotThoseOfTheProgram() {
        assertThatThrownBy(() -> ProcessText.exact(List.of("rm", "?"), PROCESS))
                .hasMessageContaining("LC_ALL=C.UTF-8");
        assertThatThrownBy(() -> ProcessText.exact(List.of("?"), List.of()))
                .hasMessageContaining("LC_ALL=C.UTF-8");
    }

    @Test
    void shouldTakeArgumentsAsTheyAreWhenNothingCanBeLost() {
        assertThat(ProcessText.arguments(new String[] {"a", "-b"})).containsExactly("a", "-b");
    }

    @Test
    void shouldKnowTheEnvironment() {
        assertThat(ProcessText.environment()).containsKey("PATH").doesNotContainKey("");
    }
}
