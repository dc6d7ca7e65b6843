package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands on image files, each beside qemu-img's own on the same image. */
@Timeout(120)
class ImageToolsTest extends ImageToolsBed {
    @ParameterizedTest
    @CsvSource({"falloc", "full"})
    void shouldReserveSpaceWhenAskedTo(String preallocation) throws IOException {
        ok("create", "-o", "preallocation=" + preallocation, at("a.qcow2"), "8M");
        ok("create", "-o", "preallocation=" + preallocation, at("a.raw"), "8M");

        assertThat(json("info", at("a.qcow2")).path("actual-size").asLong())
                .isGreaterThan(8L << 20);
        assertThat(json("info", at("a.raw")).path("actual-size").asLong())
                .isGreaterThanOrEqualTo(8L << 20);
        checkClean("a.qcow2");
    }

    @Test
    void shouldMakeAnOverlayWhenABackingFileIsGiven() throws IOException {
        ok("create", at("base.qcow2"), "5M");
        assertThat(ok("create", "-b", "base.qcow2", "-F", "qcow2", at("top.qcow2")).out())
                .isEqualTo("Created " + at("top.qcow2") + ", 5 MiB\n");
        JsonNode made = json("create", "-f", "qcow2", at("odd"), "1000");
        assertThat(made.path("virtual-size").asLong()).isEqualTo(1024);
        checkClean("top.qcow2");
        checkClean("odd");
    }

    @Test
    void shouldMeasureASnapshotAsQemuDoes() throws IOException {
        qemuImg("create", "-f", "qcow2", "disk.qcow2", "40M");
        qemuIo("qcow2", "disk.qcow2", "write -P 1 1M 3M");
        qemuImg("snapshot", "-c", "first", "disk.qcow2");
        qemuIo("qcow2", "disk.qcow2", "write -P 2 20M 9M");
        String options = "cluster_size=4096,compat=0.10";
        JsonNode theirs =
                JSON.readTree(
                        qemuImg(
                                "measure",
                                "--output=json",
                                "-l",
                                "first",
                                "-O",
                                "qcow2",
                                "-o",
                                options,
                                "disk.qcow2"));

        JsonNode ours =
                json("measure", "-l", "first", "-O", "qcow2", "-o", options, at("disk.qcow2"));

        assertThat(ours).isEqualTo(theirs);
        assertThat(json("measure", "-O", "qcow2", "-o", options, at("disk.qcow2")))
                .isNotEqualTo(theirs);
    }

    @Test
    void shouldShowProgressWhenAskedAndNothingWhenQuiet() {
        ok("create", "-q", at("a.qcow2"), "8M");
        qemuIo("qcow2", "a.qcow2", "write -P 1 1M 3M");

        assertThat(ok("convert", at("a.qcow2"), at("b.qcow2")).err()).isEmpty();
        assertThat(ok("convert", "-p", at("a.qcow2"), at("b.qcow2")).err())
                .endsWith("converting: 100%\n")
                .doesNotContain("\r");
        assertThat(ok("convert", "-pq", at("a.qcow2"), at("b.qcow2")).err()).isEmpty();
        assertThat(ok("check", "-q", at("b.qcow2")).out()).isEmpty();

        Outcome created = ok("create", "-q", at("c.qcow2"), "8M");
        Outcome compared = run(List.of("compare", "-q", at("a.qcow2"), at("c.qcow2")));
        assertThat(compared.exitCode()).isEqualTo(1);
        assertThat(created.out() + compared.out() + compared.err()).isEmpty();
    }

    @Test
    void shouldTellWhatQemuTells() throws IOException {
        qemuImg("create", "-f", "raw", "base.raw", "3M");
        qemuImg(
                "create",
                "-f",
                "qcow2",
                "-b",
                "base.raw",
                "-F",
                "raw",
                "-o",
                "lazy_refcounts=on,extended_l2=on",
                "top.qcow2");
        qemuImg("bitmap", "--add", "-g", "64K", "top.qcow2", "b0");
        qemuImg("snapshot", "-c", "first", "top.qcow2");

        JsonNode theirs =
                JSON.readTree(qemuImg("info", "--backing-chain", "--output=json", "top.qcow2"));
        JsonNode ours = json("info", "--backing-chain", at("top.qcow2"));

        assertThat(ours).hasSize(2);
        for (int i = 0; i < 2; i++) {
            JsonNode mine = ours.get(i);
            theirs.get(i)
                    .properties()
                    .forEach(
                            field -> {
                                if (!field.getKey().contains("filename")) {
                                    assertThat(mine.path(field.getKey()))
                                            .as(field.getKey())
                                            .isEqualTo(field.getValue());
                                }
                            });
        }
        assertThat(ours.get(0).path("full-backing-filename").asText()).isEqualTo(at("base.raw"));
        assertThat(ok("info", at("top.qcow2")).out())
                .contains("first", "VM CLOCK", "- name: b0", "extended-l2: true");
    }

    @Test
    void shouldMapARawImageByItsHoles() throws IOException {
        qemuImg("create", "-f", "raw", "disk.raw", "4M");
        qemuIo("raw", "disk.raw", "write 1M 64k");
        JsonNode theirs = JSON.readTree(qemuImg("map", "-f", "raw", "--output=json", "disk.raw"));
        JsonNode ours = json("map", at("disk.raw"));

        assertThat(ours).hasSameSizeAs(theirs).hasSizeGreaterThan(2);
        for (int i = 0; i < ours.size(); i++) {
            for (String field : List.of("start", "length", "zero", "data", "present", "offset")) {
                assertThat(ours.get(i).path(field).asText())
                        .as(field)
                        .isEqualTo(theirs.get(i).path(field).asText());
            }
        }
    }

    /** base (raw or qcow2) under mid under top, each with data and zeros of its own. */
    private void makeChain(Random random, String options) throws IOException {
        qemuImg("create", "-f", "raw", "base.raw", "3M");
        qemuIo("raw", "base.raw", "write -P 1 0 3M");
        qemuImg("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "mid.qcow2", "4M");
        String more = options.isEmpty() ? "compat=1.1" : options;
        qemuImg(
                "create",
                "-f",
                "qcow2",
                "-o",
                more,
                "-b",
                "mid.qcow2",
                "-F",
                "qcow2",
                "top.qcow2",
                "5M");
        for (int i = 0; i < 12; i++) {
            String file = i % 2 == 0 ? "mid.qcow2" : "top.qcow2";
            int at = random.nextInt(3 << 11) * 512;
            int length = (1 + random.nextInt(400)) * 512;
            String zeroes = i % 3 == 0 ? "write -z" : "write -P " + (10 + i);
            qemuIo("qcow2", file, zeroes + " " + at + " " + length);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "other.qcow2, qcow2, ''",
        "base.raw, raw, ''",
        "base.raw, raw, compat=0.10",
        "short.raw, raw, cluster_size=4096",
        "'', qcow2, ''",
        "'', qcow2, extended_l2=on",
    })
    void shouldKeepTheContentWhenRebased(String backing, String format, String options)
            throws IOException {
        makeChain(new Random(SEED), options);
        qemuImg("create", "-f", "qcow2", "other.qcow2", "6M");
        qemuIo("qcow2", "other.qcow2", "write -P 99 500k 3M");
        qemuImg("create", "-f", "raw", "short.raw", "123392");
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");
        List<String> arguments = new ArrayList<>(List.of("rebase", "-b", backing));
        if (!backing.isEmpty()) {
            arguments.addAll(List.of("-F", format));
        }
        arguments.add(at("top.qcow2"));

        ok(arguments.toArray(String[]::new));

        checkClean("top.qcow2");
        compare("top.qcow2", "before.raw");
        JsonNode info = json("info", at("top.qcow2"));
        assertThat(info.path("backing-filename").asText()).isEqualTo(backing);
        if (backing.isEmpty()) {
            Files.delete(folder.resolve("mid.qcow2"));
            compare("top.qcow2", "before.raw");
        }
    }

    @Test
    void shouldCopyNothingWhenTheFilesBetweenHaveNothing() throws IOException {
        qemuImg("create", "-f", "raw", "base.raw", "3M");
        qemuIo("raw", "base.raw", "write -P 1 0 3M");
        qemuImg("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "mid.qcow2");
        qemuImg("create", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", "top.qcow2");
        assertThat(
                        json("rebase", "-b", "base.raw", "-F", "raw", at("top.qcow2"))
                                .path("copied-bytes")
                                .asLong(-1))
                .isZero();
        compare("top.qcow2", "base.raw");
    }

    @Test
    void shouldKeepTheContentWhenRebasedToTheSameFileInAnotherFormat() throws IOException {
        qemuImg("create", "-f", "qcow2", "base.img", "3M");
        qemuIo("qcow2", "base.img", "write -P 1 100k 2M");
        qemuImg("create", "-f", "qcow2", "-b", "base.img", "-F", "qcow2", "top.qcow2");
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");

        ok("rebase", "-b", "base.img", "-F", "raw", at("top.qcow2"));

        checkClean("top.qcow2");
        compare("top.qcow2", "before.raw");
        assertThat(json("info", at("top.qcow2")).path("backing-filename-format").asText())
                .isEqualTo("raw");
    }

    @Test
    void shouldSwitchTheNameAloneWhenUnsafe() throws IOException {
        makeChain(new Random(SEED), "");
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");
        Files.move(folder.resolve("mid.qcow2"), folder.resolve("renamed"));
        ok("rebase", "-u", "-b", "renamed", "-F", "qcow2", at("top.qcow2"));
        checkClean("top.qcow2");
        compare("top.qcow2", "before.raw");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "compat=0.10", "extended_l2=on", "cluster_size=512"})
    void shouldCommitAsQemuDoes(String options) throws IOException {
        makeChain(new Random(SEED), options);
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");
        copy("mid.qcow2", "their-mid.qcow2");
        copy("top.qcow2", "their-top.qcow2");
        qemuImg("rebase", "-u", "-b", "their-mid.qcow2", "-F", "qcow2", "their-top.qcow2");

        JsonNode result = json("commit", at("top.qcow2"));
        qemuImg("commit", "-q", "their-top.qcow2");

        assertThat(result.path("emptied").asBoolean()).isTrue();
        for (String file : List.of("top.qcow2", "mid.qcow2")) {
            checkClean(file);
            compare(file, "before.raw");
        }
        compare("mid.qcow2", "their-mid.qcow2");
        assertThat(Files.size(folder.resolve("top.qcow2")))
                .isLessThanOrEqualTo(Files.size(folder.resolve("their-top.qcow2")));
        assertThat(JSON.readTree(qemuImg("map", "--output=json", "top.qcow2")).findValues("depth"))
                .allSatisfy(depth -> assertThat(depth.asInt()).isPositive());
    }

    @Test
    void shouldCommitThroughTheFilesBetween() throws IOException {
        makeChain(new Random(SEED), "");
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");
        byte[] top = Files.readAllBytes(folder.resolve("top.qcow2"));

        JsonNode result = json("commit", "-b", "base.raw", at("top.qcow2"));

        assertThat(result.path("emptied").asBoolean(true)).isFalse();
        assertThat(Files.readAllBytes(folder.resolve("top.qcow2"))).isEqualTo(top);
        assertThat(Files.readAllBytes(folder.resolve("base.raw")))
                .isEqualTo(Files.readAllBytes(folder.resolve("before.raw")));
        compare("top.qcow2", "before.raw");
    }

    @Test
    void shouldCommitAsQemuDoesWhenTheL1TableOfTheBackingFileHasToMove() throws IOException {
        qemuImg("create", "-f", "qcow2", "-o", "cluster_size=512", "base.qcow2", "16M");
        qemuIo("qcow2", "base.qcow2", "write -P 1 14M 2M");
        qemuImg("create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2", "320M");
        // Data first: by the first hole the place of the old table is in use otherwise.
        qemuIo("qcow2", "top.qcow2", "write -P 2 0 13M");
        qemuIo("qcow2", "top.qcow2", "write -z 13M 64k");
        qemuIo("qcow2", "top.qcow2", "write -P 3 200M 12M");
        qemuImg("convert", "-O", "raw", "top.qcow2", "before.raw");

        ok("commit", at("top.qcow2"));

        for (String file : List.of("top.qcow2", "base.qcow2")) {
            checkClean(file);
            compare(file, "before.raw");
        }
    }

    @ParameterizedTest
    @CsvSource({"1, dirty", "2, corrupt"})
    void shouldWriteNothingWhenTheImageCannotBeEmptiedAfterACommit(int incompatible, String what)
            throws IOException {
        makeChain(new Random(SEED), "");
        try (RandomAccessFile top = new RandomAccessFile(at("top.qcow2"), "rw")) {
            top.seek(79);
            top.write(incompatible);
        }
        copy("mid.qcow2", "before.qcow2");

        Outcome outcome = run(List.of("commit", at("top.qcow2")));

        assertThat(outcome.exitCode()).as(what).isEqualTo(1);
        assertThat(outcome.err()).contains("cannot be emptied", "--repair all");
        assertThat(Files.mismatch(folder.resolve("mid.qcow2"), folder.resolve("before.qcow2")))
                .isEqualTo(-1);
        ok("commit", "-d", at("top.qcow2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"commit", "commit -d", "rebase -F raw -b base.raw", "rebase -b ''"})
    void shouldChangeNothingThatSnapshotsReadWhenAnImageHasSome(String command) throws IOException {
        makeChain(new Random(SEED), "");
        qemuImg("snapshot", "-c", "s1", "top.qcow2");
        qemuIo("qcow2", "top.qcow2", "write -P 77 100k 300k");
        List<String> files = List.of("top.qcow2", "mid.qcow2", "base.raw");
        for (String file : files) {
            copy(file, file + ".before");
        }
        List<String> arguments = new ArrayList<>(List.of(command.split(" ", -1)));
        arguments.replaceAll(each -> each.equals("''") ? "" : each);
        arguments.add(at("top.qcow2"));

        Outcome outcome = run(arguments);

        assertThat(outcome.exitCode()).isEqualTo(1);
        assertThat(outcome.err()).contains("image with snapshots cannot be", "snapshots=1");
        for (String file : files) {
            Path before = folder.resolve(file + ".before");
            assertThat(Files.mismatch(folder.resolve(file), before)).as(file).isEqualTo(-1);
        }
    }

    @Test
    void shouldChangeBitmapsAsQemuDoes() throws IOException {
        qemuImg("create", "-f", "qcow2", "ours.qcow2", "8M");
        qemuImg("bitmap", "--add", "ours.qcow2", "first");
        qemuIo("qcow2", "ours.qcow2", "write 1M 300k");
        copy("ours.qcow2", "theirs.qcow2");
        copy("ours.qcow2", "other.qcow2");
        for (List<String> change :
                List.of(
                        List.of("--add", "--disable", "-g", "64K", "@", "second"),
                        List.of("--merge", "first", "@", "second"),
                        List.of(
                                "--merge",
                                "first",
                                "-b",
                                "other.qcow2",
                                "-F",
                                "qcow2",
                                "@",
                                "second"),
                        List.of("--add", "@", "third"),
                        List.of("--remove", "@", "third"),
                        List.of("--clear", "--disable", "@", "first"))) {
            List<String> ours = new ArrayList<>(change);
            ours.replaceAll(text -> text.endsWith("@") ? at("ours.qcow2") : text);
            ours.replaceAll(text -> text.equals("other.qcow2") ? at(text) : text);
            ours.add(0, "bitmap");
            ok(ours.toArray(String[]::new));
            List<String> theirs = new ArrayList<>(change);
            theirs.replaceAll(text -> text.equals("@") ? "theirs.qcow2" : text);
            theirs.add(0, "bitmap");
            qemuImg(theirs.toArray(String[]::new));
        }

        checkClean("ours.qcow2");
        JsonNode mine = JSON.readTree(qemuImg("info", "--output=json", "ours.qcow2"));
        JsonNode qemu = JSON.readTree(qemuImg("info", "--output=json", "theirs.qcow2"));
        assertThat(mine.at("/format-specific/data/bitmaps"))
                .hasSize(2)
                .isEqualTo(qemu.at("/format-specific/data/bitmaps"));
        JsonNode bitmaps = json("bitmap", "--enable", at("ours.qcow2"), "second");
        assertThat(bitmaps.get(0).path("dirty-bytes").asLong()).isZero();
        assertThat(bitmaps.get(1).path("dirty-bytes").asLong()).isEqualTo(320 << 10);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "bitmap DIR/top.qcow2 b                    | 2 | nothing to do",
                "bitmap --clear -g 64K DIR/top.qcow2 b     | 2 | --add with it",
                "bitmap --clear -b x DIR/top.qcow2 b       | 2 | --merge with it",
                "bitmap --remove DIR/top.qcow2 b           | 1 | no such bitmap: bitmap=b",
                "bitmap --add -g 100 DIR/top.qcow2 b       | 1 | granularity",
                "bitmap --add DIR/base.raw b               | 1 | cannot have bitmaps",
                "convert -U --bitmaps DIR/top.qcow2 DIR/a  | 2 | option=--bitmaps",
                "convert --skip-broken-bitmaps DIR/x DIR/a | 2 | only with --bitmaps",
                "measure -l s --size 1G                    | 2 | either SOURCE or --size",
                "info nbd+unix:///?socket=/none            | 1 | no such socket",
                "create DIR/a.qcow2                        | 2 | SIZE missing",
                "create -b base.raw DIR/a.qcow2            | 2 | option=-F",
                "create -F raw DIR/a.qcow2 1M              | 2 | -b BACKING",
                "create DIR/a.qcow2 1X                     | 2 | value=1X",
                "create -o cluster_sise=4K DIR/a.qcow2 1M  | 1 | did you mean cluster_size?",
                "create -o preallocatoin=off DIR/a.raw 1M  | 1 | did you mean preallocation?",
                "create DIR/base.raw 1M                    | 1 | exist",
                "create -b none -F raw DIR/a.qcow2         | 1 | none",
                "create -b /etc/passwd -F raw DIR/a.qcow2  | 1 | plain name",
                "create DIR/none/a.qcow2 1M                | 1 | no such folder",
                "info DIR/none.qcow2                       | 1 | no such image file",
                "map DIR/none.raw                          | 1 | no such image file",
                "convert -B base.raw DIR/top.qcow2 DIR/a   | 2 | option=-F",
                "convert -F raw DIR/top.qcow2 DIR/a        | 2 | option=-B",
                "convert --target-is-zero DIR/top.qcow2 DIR/a | 2 | only with -n",
                "convert -n -o compat=1.1 DIR/base.raw DIR/top.qcow2 | 2 | option=-n",
                "convert -S 100 DIR/top.qcow2 DIR/a        | 2 | multiple of 512",
                "convert -m 17 DIR/top.qcow2 DIR/a         | 2 | expected=1 to 16",
                "convert --threads 65 DIR/top.qcow2 DIR/a  | 2 | option=--threads",
                "convert DIR/above.qcow2 DIR/base.raw      | 1 | a file that it stands on",
                "resize DIR/none.qcow2 1G                  | 1 | no such image file",
                "resize DIR/top.qcow2 1X                   | 2 | value=1X",
                "resize DIR/top.qcow2 1K                   | 1 | use --shrink",
                "resize DIR/top.qcow2 -1G                  | 2 | size out of range",
                "resize --preallocation metadata DIR/base.raw 4M | 1 | raw images have no metadata",
                "rebase DIR/top.qcow2                      | 2 | option=-b",
                "rebase -b base.raw DIR/top.qcow2          | 2 | option=-F",
                "rebase -b none -F raw DIR/top.qcow2       | 1 | no such image file",
                "rebase -b ../x -F raw DIR/top.qcow2       | 1 | plain name",
                "rebase -b top.qcow2 -F qcow2 DIR/top.qcow2 | 1 | its own backing file",
                "rebase -b above.qcow2 -F qcow2 DIR/top.qcow2 | 1 | loop",
                "rebase -b base.raw -F raw DIR/base.raw    | 1 | cannot have a backing file",
                "commit DIR/base.raw                       | 1 | no backing file",
                "commit DIR/alone.qcow2                    | 1 | no backing file",
                "commit -b none DIR/top.qcow2              | 1 | expected=one of base.raw",
            })
    void shouldSayWhatIsWrong(String line, int exitCode, String message) throws IOException {
        qemuImg("create", "-f", "raw", "base.raw", "1M");
        qemuImg("create", "-f", "qcow2", "alone.qcow2", "1M");
        qemuImg("create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "top.qcow2");
        qemuImg("create", "-f", "qcow2", "-b", "top.qcow2", "-F", "qcow2", "above.qcow2");
        byte[] top = Files.readAllBytes(folder.resolve("top.qcow2"));
        List<String> arguments = List.of(line.trim().replace("DIR", at("")).split(" +"));

        Outcome outcome = run(arguments);

        assertThat(outcome.err()).startsWith("quoin: ").contains(message);
        assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(exitCode);
        assertThat(outcome.out()).isEmpty();
        assertThat(Files.readAllBytes(folder.resolve("top.qcow2"))).isEqualTo(top);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).as("nothing left behind").hasSize(4);
        }
    }

    @Test
    void shouldRefuseImagesThatAreServed() {
        try (ServedBrick brick = new ServedBrick(folder.resolve("brick"))) {
            String image = brick.folder().resolve("vm1.qcow2").toString();
            qemuImg("create", "-f", "qcow2", image, "1M");
            for (List<String> command :
                    List.of(
                            List.of("create", at("brick/vm2.qcow2"), "1M"),
                            List.of("resize", image, "2M"),
                            List.of("rebase", "-b", "", image),
                            List.of("rebase", "-u", "-b", "x", "-F", "raw", image),
                            List.of("commit", image))) {
                Outcome outcome = run(command);
                assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(1);
                assertThat(outcome.err()).contains("stop what serves it first");
            }
        }
    }
}
