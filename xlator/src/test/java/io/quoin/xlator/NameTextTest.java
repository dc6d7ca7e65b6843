package io.quoin.xlator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class NameTextTest {
    private static final byte[] LATIN_1 = {(byte) 0xE4, '.', 'r', 'a', 'w'};

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"", "a", "größe", "日本", "\uD83D\uDCBE.raw", "a b\n"})
    void shouldBeTheTextItselfWhenANameIsUtf8(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        assertThat(NameText.of(bytes)).isEqualTo(name);
        assertThat(NameText.bytes(name)).isEqualTo(bytes);
        assertThat(NameText.isUtf8(name)).isTrue();
    }

    @Test
    void shouldKeepEachByteWhenANameIsNoUtf8() {
        assertThat(NameText.of(LATIN_1)).isEqualTo("\uDCE4.raw");
        assertThat(NameText.bytes("\uDCE4.raw")).isEqualTo(LATIN_1);
        assertThat(NameText.isUtf8("\uDCE4.raw")).isFalse();
    }

    /** Cut characters, overlong forms, surrogates in UTF-8, and whatever else chance brings. */
    @Test
    void shouldComeBackTheSameAndStayDifferentWhenBytesAreRandom() {
        byte[] pieces = {
            'a',
            (byte) 0xC3,
            (byte) 0xA4,
            (byte) 0xE4,
            (byte) 0xED,
            (byte) 0xA0,
            (byte) 0xB3,
            (byte) 0xF0,
            (byte) 0x9F,
            (byte) 0x92,
            (byte) 0xBE,
            (byte) 0xC0,
            (byte) 0x80,
            (byte) 0xFF
        };
        long seed = 20;
        Random random = new Random(seed);
        Set<String> texts = new HashSet<>();
        Set<java.nio.ByteBuffer> names = new HashSet<>();
        for (int round = 0; round < 20_000; round++) {
            byte[] name = new byte[random.nextInt(8)];
            for (int i = 0; i < name.length; i++) {
                name[i] = pieces[random.nextInt(pieces.length)];
            }
            String text = NameText.of(name);
            assertThat(NameText.bytes(text)).as("seed %s", seed).isEqualTo(name);
            texts.add(text);
            names.add(java.nio.ByteBuffer.wrap(name));
        }
        assertThat(texts).hasSameSizeAs(names);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\uDCC3\uDCA4", "a\uDC41", "\uD800", "\uDFFF"})
    void shouldRefuseATextWhenItIsNoNamesText(String text) {
        assertThatThrownBy(() -> NameText.bytes(text))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "a/b",
                "/a/b",
                "größe/x",
                "/tmp/größe",
                "\uDCE4",
                "\uDCE4/../b",
                "./\uDCE4",
                "/\uDCE4/x",
                "%41\uDCE4",
                "ä?#;x"
            })
    void shouldComeBackWhenATextIsMadeAPath(String text) {
        Path path = NameText.path(text);
        assertThat(NameText.of(path)).isEqualTo(text);
        assertThat(path.isAbsolute()).isEqualTo(text.startsWith("/"));
    }

    @Test
    void shouldLeaveOutSlashesThatSayNothing() {
        assertThat(NameText.of(NameText.path("//a///\uDCE4/"))).isEqualTo("/a/\uDCE4");
        assertThat(NameText.of(NameText.path("\uDCE4//b/"))).isEqualTo("\uDCE4/b");
    }

    @Test
    void shouldNameTheSameFileWhenPathsAreMadeAndListed() throws IOException {
        Files.writeString(folder.resolve(NameText.path("\uDCE4.raw")), "a");
        Files.writeString(folder.resolve(NameText.path("\uDCF6.raw")), "b");
        Files.createDirectory(folder.resolve(NameText.path("größe")));
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(NameText::lastOf))
                    .containsExactlyInAnyOrder("\uDCE4.raw", "\uDCF6.raw", "größe");
        }
        assertThat(Files.readString(folder.resolve(NameText.path("\uDCE4.raw")))).isEqualTo("a");
    }

    @Test
    void shouldRefuseAPathWhenItHasANul() {
        assertThatThrownBy(() -> NameText.path("a\0b")).hasMessageContaining("a\\x00b");
    }

    @Test
    void shouldEscapeWhatATerminalCannotShow() {
        assertThat(NameText.printable("größe\\\uD83D\uDCBE")).isEqualTo("größe\\\uD83D\uDCBE");
        assertThat(NameText.printable("\uDCE4\\a\n\u001B[2J\u0085\uD800"))
                .isEqualTo("\\xe4\\\\a\\x0a\\x1b[2J\\u0085\\ud800");
    }
}
