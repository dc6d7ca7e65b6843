package io.quoin.nbd.peer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client's text looks like in a line of the log. */
@Timeout(20)
final class ClientTextTest {
    @Test
    void shouldKeepTextWhenItIsHarmless() {
        assertThat(ClientText.quoted("vm-1.qcow2 \u00e4\u20ac"))
                .isEqualTo("\"vm-1.qcow2 \u00e4\u20ac\"");
        assertThat(ClientText.quoted(null)).isEqualTo("null");
    }

    @Test
    void shouldEscapeWhatEndsLinesOrChangesTerminals() {
        assertThat(ClientText.quoted("x\nFORGED\r\t\u001b[31m\u0085\u009b\u2028\u202e\ud800\u0000"))
                .isEqualTo(
                        "\"x\\nFORGED\\r\\t\\u{1b}[31m\\u{85}\\u{9b}\\u{2028}\\u{202e}\\u{d800}\\u{0}\"");
        assertThat(ClientText.quoted("a\", cause=\"b\\")).isEqualTo("\"a\\\", cause=\\\"b\\\\\"");
    }

    @Test
    void shouldCutTextAndTellItsLength() {
        assertThat(ClientText.quoted("b".repeat(4000)))
                .isEqualTo("\"" + "b".repeat(200) + "\"... (4000 characters)");
        assertThat(ClientText.quoted("\n".repeat(4000))).hasSizeLessThan(500);
    }
}
