package io.quoin.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class DiskNameTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "vm1", "VM-1_b.c", "9", "_x", "a..b", "trailing-"})
    void shouldAcceptWhatTheRuleAllows(String name) {
        assertThat(DiskName.check(name)).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", ".", "..", ".hidden", "-option", "a/b", "../x", "a@b", "a b", "a\n", "a\u0000",
                "a\\b", "\u00e4", "a:b"
            })
    void shouldRefuseWhatTheRuleForbids(String name) {
        assertThatThrownBy(() -> DiskName.check(name))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("expected=1 to 200 characters");
    }

    @Test
    void shouldLimitTheLength() {
        assertThat(DiskName.isLegal("x".repeat(200))).isTrue();
        assertThat(DiskName.isLegal("x".repeat(201))).isFalse();
    }
}
