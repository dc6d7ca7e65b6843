package io.quoin.xlator.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class VolfileTest {
    private static final String SOUND =
            """
            # a brick and what stands above it
            volume brick
              type storage/posix      # the files
              option directory /srv/quoin
              option note "two words, a \\" and a \\\\"
            end-volume

            volume images
              option cache-size 64MB
              type features/qcow2
              subvolumes brick
            end-volume
            """;

    @Test
    void shouldParseWhenSound() {
        Volfile volfile = Volfile.parse(SOUND, "test.vol");
        assertThat(volfile.volumes())
                .containsExactly(
                        new VolumeSpec(
                                "brick",
                                "storage/posix",
                                Map.of(
                                        "directory",
                                        "/srv/quoin",
                                        "note",
                                        "two words, a \" and a \\"),
                                List.of()),
                        new VolumeSpec(
                                "images",
                                "features/qcow2",
                                Map.of("cache-size", "64MB"),
                                List.of("brick")));
        assertThat(volfile.top().name()).isEqualTo("images");
    }

    @Test
    void shouldPrintCanonicallyWhenParsed() {
        assertThat(Volfile.parse(SOUND, "test.vol").print())
                .isEqualTo(
                        """
                        volume brick
                            type storage/posix
                            option directory /srv/quoin
                            option note "two words, a \\" and a \\\\"
                        end-volume

                        volume images
                            type features/qcow2
                            option cache-size 64MB
                            subvolumes brick
                        end-volume
                        """);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "volume a; end-volume | v:2:1: volume has no type: name=a",
                "volume a; type t | v:2:7: end-volume is missing: volume=a, begun at line 1",
                "volume a; type t; volume b | v:3:1: end-volume is missing: volume=a, begun at line 1",
                "volume a; type t; end-volume; volume a; type t; end-volume"
                        + " | v:4:8: volume is defined twice: name=a",
                "volume a; type t; subvolumes b; end-volume"
                        + " | v:3:12: unknown subvolume: name=b, expected=one of a; did you mean a?",
                "volume brick; type t; end-volume; volume b; type t; subvolumes brik; end-volume"
                        + " | v:6:12: unknown subvolume: name=brik, expected=one of brick, b; did you"
                        + " mean brick?",
                "volume a; type t; subvolumes b; end-volume; volume b; type t; end-volume"
                        + " | v:3:12: subvolume is defined later: name=b, expected=above volume a",
                "volume a; type t; subvolumes b; end-volume; volume b; type t; subvolumes a; end-volume"
                        + " | v:3:12: volumes form a cycle: a -> b -> a",
                "volume a; type t; subvolumes a; end-volume | v:3:12: volumes form a cycle: a -> a",
                "volume a; type t; end-volume; volume b; type t; end-volume"
                        + " | v:1:8: graph has more than one top: names=a, b, expected=every volume but"
                        + " one is a subvolume",
                "volume a; type t; end-volume; volume b; type t; subvolumes a a; end-volume"
                        + " | v:6:14: subvolume is listed twice: name=a",
                "volume a; tpe t; end-volume | v:2:1: expected a part of volume a: expected=type, option,"
                        + " subvolumes, end-volume, actual=tpe; did you mean type?",
                "volume a; type t; option k two words; end-volume | v:3:14: expected a part of volume a:"
                        + " expected=type, option, subvolumes, end-volume, actual=words; a value with"
                        + " spaces goes in double quotes",
                "volume a; type t; type u; end-volume | v:3:1: volume has two types: name=a",
                "volume a; type t; option k 1; option k 2; end-volume"
                        + " | v:4:8: option is given twice: volume=a, name=k",
                "volume a; type t; option k; end-volume"
                        + " | v:4:1: the value of option k is missing: found=end-volume",
                "volume a; type t; option k \"x; end-volume"
                        + " | v:3:10: a quoted value has no end on its line",
                "volume a; type t; option k `date`; end-volume"
                        + " | v:3:10: a command in back quotes is not run; put the value in double quotes",
                "volume a; type t; option k x\"y\"; end-volume"
                        + " | v:3:11: a quote or backslash in the middle of a word; quote the whole word",
                "volume a; type t; subvolumes; end-volume"
                        + " | v:4:1: the name of a subvolume is missing: found=end-volume",
                "vloume a; type t | v:1:1: expected volume: expected=volume, actual=vloume; did you mean"
                        + " volume?",
                "# only this | v:1:12: volume is empty",
            })
    void shouldNameThePlaceWhenWrong(String text, String message) {
        String expected = message.replace("volume is empty", "volfile is empty: expected=volume");
        assertThatThrownBy(() -> Volfile.parse(text.replace("; ", "\n"), "v"))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                .hasMessage(expected);
    }

    @Test
    void shouldParseWhatItPrintedWhenGraphsAreRandom() {
        long seed = Long.getLong("quoin.seed", System.nanoTime());
        System.out.println("random volfiles: seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            Volfile volfile = Volfile.of(randomVolumes(random));
            assertThat(Volfile.parse(volfile.print(), "printed")).isEqualTo(volfile);
            assertThat(Volfile.parse(volfile.print(), "printed").print())
                    .isEqualTo(volfile.print());
        }
    }

    private static List<VolumeSpec> randomVolumes(Random random) {
        List<VolumeSpec> volumes = new ArrayList<>();
        int count = 1 + random.nextInt(5);
        for (int i = 0; i < count; i++) {
            Map<String, String> options = new LinkedHashMap<>();
            for (int j = random.nextInt(4); j > 0; j--) {
                options.put(randomWord(random) + j, randomWord(random));
            }
            List<String> below = i == 0 ? List.of() : List.of(volumes.get(i - 1).name());
            volumes.add(new VolumeSpec(randomWord(random) + i, randomWord(random), options, below));
        }
        return volumes;
    }

    private static String randomWord(Random random) {
        if (random.nextInt(8) == 0) {
            return List.of("volume", "end-volume", "option", "type", "subvolumes", "#x", " ")
                    .get(random.nextInt(7));
        }
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
            word.append("ab/-_.#`\"\\ \t*é=:\u0001".charAt(random.nextInt(17)));
        }
        return word.toString().isEmpty() ? "w" : word.toString();
    }

    @Test
    void shouldRefuseAQuotedValueWhenABackslashEndsItsLine() {
        String text = "volume a\n  type t\n  option o \"one\\\ntwo\"\nend-volume\n";

        assertThatThrownBy(() -> Volfile.parse(text, "f"))
                .isInstanceOf(BlockException.class)
                .hasMessage("f:3:12: a quoted value has no end on its line");
    }

    @Test
    void shouldSurviveWhenTheTextIsMutated() {
        long seed = Long.getLong("quoin.seed", System.nanoTime());
        System.out.println("mutated volfiles: seed=" + seed);
        Random random = new Random(seed);
        int parsed = 0;
        for (int i = 0; i < 3000; i++) {
            StringBuilder text = new StringBuilder(SOUND);
            for (int j = 1 + random.nextInt(3); j > 0; j--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(3)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.setCharAt(at, (char) random.nextInt(300));
                    default -> text.insert(at, "\"\\#\n `volume".charAt(random.nextInt(12)));
                }
            }
            try {
                Volfile volfile = Volfile.parse(text.toString(), "mutant");
                assertThat(Volfile.parse(volfile.print(), "printed")).isEqualTo(volfile);
                parsed++;
            } catch (BlockException e) {
                assertThat(e).hasMessageStartingWith("mutant:");
            }
        }
        assertThat(parsed).isPositive();
    }

    @Test
    void shouldReadAFileWhenItIsThere(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("a.vol");
        Files.writeString(file, SOUND);
        assertThat(Volfile.read(file)).isEqualTo(Volfile.parse(SOUND, "other"));
        assertThatThrownBy(() -> Volfile.read(folder.resolve("b.vol")))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOENT));
    }
}
