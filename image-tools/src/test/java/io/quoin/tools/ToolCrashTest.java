package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.BitmapInfo;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every crash point of rebase and commit: the image reads as before, whatever reached the disk, the
 * backing file has the old or the new content, and all of them have leaks at worst. {@code
 * -Dquoin.crash.rounds=N} goes through all of it N times, with more of the parts that a crash may
 * leave.
 */
@Tag("format")
@Timeout(3600)
class ToolCrashTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);
    private static final int SECTOR = 512;
    private static final int SIZE = 700_416;
    private static final String TOP = "top.qcow2";
    private static final String MIDDLE = "mid.qcow2";
    private static final String BASE = "base.raw";
    private static final String OTHER = "other.qcow2";
    private static final String SHORT = "short.raw";

    private static final int LYING_SAMPLES = 20;

    @TempDir Path folder;
    @TempDir Path elsewhere;

    private static int states;
    private static int judgedByQemu;

    private final Map<String, byte[]> before = new TreeMap<>();
    private final List<String> findings = new ArrayList<>();
    private Random random = new Random();

    @BeforeEach
    void needsPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    private void qemuIo(String format, String file, List<String> commands) {
        List<String> words = new ArrayList<>(List.of("-f", format));
        commands.forEach(command -> words.addAll(List.of("-c", command)));
        words.add(file);
        Peer.QEMU_IO.command(words).directory(folder).runOk();
    }

    private List<String> changes(int size, int count) {
        List<String> commands = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = SECTOR * (1 + random.nextInt(60));
            int offset = SECTOR * random.nextInt((size - length) / SECTOR);
            String what = i % 4 == 3 ? "write -z" : "write -P " + (1 + random.nextInt(255));
            commands.add(what + " " + offset + " " + length);
        }
        return commands;
    }

    /** A chain of three, of which the one in the middle is the smallest, and others to move to. */
    private void make(String options, long seed) throws IOException {
        random = new Random(seed);
        before.clear();
        findings.clear();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        qemuImg("create", "-q", "-f", "raw", BASE, "" + SIZE);
        qemuIo("raw", BASE, changes(SIZE, 12));
        int middle = SIZE * 2 / 3 / SECTOR * SECTOR;
        String small = "cluster_size=4096";
        qemuImg("create", "-qfqcow2", "-o", small, "-b", BASE, "-Fraw", MIDDLE, "" + middle);
        qemuIo("qcow2", MIDDLE, changes(middle, 8));
        String wanted = options.contains("cluster_size") ? options : small + "," + options;
        wanted = wanted.replaceAll(",$", "").replace(",bitmap", "");
        qemuImg("create", "-qfqcow2", "-o", wanted, "-b", MIDDLE, "-Fqcow2", TOP, "" + SIZE);
        qemuIo("qcow2", TOP, changes(SIZE, 8));
        if (options.contains("bitmap")) {
            qemuImg("bitmap", "--add", TOP, "b");
        }
        qemuIo("qcow2", TOP, changes(SIZE, 4));
        qemuImg("create", "-qfqcow2", "-o", small, OTHER, "" + (SIZE + 4 * SECTOR));
        qemuIo("qcow2", OTHER, changes(SIZE, 8));
        qemuImg("create", "-q", "-f", "raw", SHORT, "123392");
        qemuIo("raw", SHORT, changes(123_392, 3));
        for (String name : List.of(TOP, MIDDLE, BASE, OTHER, SHORT)) {
            before.put(name, Files.readAllBytes(folder.resolve(name)));
        }
    }

    /** What a tool does to the images. */
    private interface Tool {
        void run(ImageSession session);
    }

    /** Runs the tool and judges each state in which a crash may leave the files that it changes. */
    private void crash(
            RecordedTools tools, Tool tool, List<String> changed, CrashReplay.Judge judge) {
        try (ImageSession session = tools.session()) {
            tool.run(session);
        }
        assertThat(tools.races()).isEmpty();
        Map<String, byte[]> initial = new TreeMap<>();
        changed.forEach(name -> initial.put(name, before.get(name)));
        new CrashReplay(initial, tools.events())
                .run(judge, random, ROUNDS > 0 ? Integer.MAX_VALUE : 15, ROUNDS > 0 ? 4 : 1);
    }

    private CrashedImages at(Map<String, FlatBytes> files) {
        Map<String, byte[]> untouched = new TreeMap<>(before);
        untouched.keySet().removeAll(files.keySet());
        return new CrashedImages(folder, untouched, files);
    }

    private byte[] contentBefore(String name) {
        try (CrashedImages images = at(Map.of())) {
            return images.read(name);
        }
    }

    private void judgeTop(String state, Map<String, FlatBytes> files, byte[] expected) {
        states++;
        try (CrashedImages images = at(files)) {
            int wrong = Arrays.mismatch(images.read(TOP), expected);
            if (wrong >= 0) {
                findings.add(state + ": the image reads as something else at " + wrong);
            }
            for (String name : files.keySet()) {
                String found = name.endsWith(".qcow2") ? images.corruptions(name) : "";
                if (!found.isEmpty()) {
                    findings.add(state + ": " + found);
                }
            }
            if (states % 20 == 0) {
                judgeByQemu(state, files, expected);
            }
        } catch (BlockException | AssertionError e) {
            findings.add(state + ": images cannot be used: " + e);
        }
    }

    /** Most images are simply opened again and written to. */
    private void judgeWrite(String state, Map<String, FlatBytes> files) {
        byte[] data = new byte[3 * SECTOR];
        Arrays.fill(data, (byte) states);
        long offset = (long) SECTOR * (states * 31 % (SIZE / SECTOR - 3));
        try (CrashedImages images = at(files)) {
            byte[] expected = images.write(TOP, offset, data);
            String found = images.corruptions(TOP);
            if (!found.isEmpty() || !Arrays.equals(images.read(TOP), expected)) {
                findings.add(state + ": wrong after another write: " + found);
            }
        } catch (BlockException | AssertionError e) {
            findings.add(state + ": image cannot be written to: " + e);
        }
    }

    private void judgeByQemu(String state, Map<String, FlatBytes> files, byte[] expected) {
        judgedByQemu++;
        try {
            Path crashed = Files.createDirectories(elsewhere.resolve("crashed"));
            for (Map.Entry<String, byte[]> file : before.entrySet()) {
                FlatBytes bytes = files.get(file.getKey());
                Files.write(
                        crashed.resolve(file.getKey()),
                        bytes == null ? file.getValue() : bytes.content());
            }
            boolean dirty = CrashedImages.isDirty(files.get(TOP));
            List<String> words = dirty ? List.of("check", "-r", "all", TOP) : List.of("check", TOP);
            PeerResult check = Peer.QEMU_IMG.command(words).directory(crashed).run();
            if (check.exitCode() != 0 && check.exitCode() != 3) {
                findings.add(state + ": " + check);
            }
            Peer.QEMU_IMG
                    .command("convert", "-f", "qcow2", "-O", "raw", TOP, "out.raw")
                    .directory(crashed)
                    .runOk();
            if (!Arrays.equals(Files.readAllBytes(crashed.resolve("out.raw")), expected)) {
                findings.add(state + ": QEMU reads something else");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "other.qcow2, qcow2, ''",
        "other.qcow2, qcow2, cluster_size=512",
        "base.raw, raw, compat=0.10",
        "base.raw, raw, bitmap",
        "short.raw, raw, 'cluster_size=65536,extended_l2=on'",
        "short.raw, raw, refcount_bits=1",
        "'', qcow2, lazy_refcounts=on",
    })
    @DisplayName("QCOW2 44, 132: an image reads the same wherever a rebase of it is cut off")
    void shouldReadTheSameWhenARebaseIsCutOff(String backing, String format, String options)
            throws IOException {
        long seed = RandomOperations.seed();
        for (int round = 0; round < Math.max(1, ROUNDS); round++) {
            make(options, seed + round);
            byte[] expected = contentBefore(TOP);
            long marked = marked(at(Map.of()));
            crash(
                    new RecordedTools(false),
                    session -> rebase(session, backing, format),
                    List.of(TOP),
                    (state, files) -> {
                        judgeTop(state, files, expected);
                        judgeBitmap(state, files, marked);
                        if (states % 15 == 0) {
                            again(state, files, expected, s -> rebase(s, backing, format));
                        }
                        judgeWrite(state, files);
                    });
            assertNothingFound("rebase to '" + backing + "', " + options, seed + round);
            try (CrashedImages images = at(Map.of(TOP, now(TOP)))) {
                assertThat(images.corruptions(TOP)).isEmpty();
            }
        }
    }

    private FlatBytes now(String name) throws IOException {
        return new FlatBytes(Files.readAllBytes(folder.resolve(name)));
    }

    private void rebase(ImageSession session, String backing, String format) {
        LocalImage image = new LocalImage(sessionFolder.resolve(TOP), ImageFormat.QCOW2);
        new Rebase(session, (done, total) -> {})
                .safe(image, backing, format.equals("raw") ? ImageFormat.RAW : ImageFormat.QCOW2);
    }

    private Path sessionFolder = Path.of(".");

    @BeforeEach
    void chooseFolder() {
        sessionFolder = folder;
    }

    /** What a crash has left is given to the tool once more. */
    private void again(String state, Map<String, FlatBytes> files, byte[] expected, Tool tool) {
        Path place = elsewhere.resolve("again");
        try {
            Files.createDirectories(place);
            for (Map.Entry<String, byte[]> file : before.entrySet()) {
                FlatBytes bytes = files.get(file.getKey());
                Files.write(
                        place.resolve(file.getKey()),
                        bytes == null ? file.getValue() : bytes.content());
            }
            sessionFolder = place;
            try (ImageSession session = new ImageSession(1)) {
                tool.run(session);
            }
            Map<String, FlatBytes> after = new TreeMap<>();
            for (String name : before.keySet()) {
                after.put(name, new FlatBytes(Files.readAllBytes(place.resolve(name))));
            }
            try (CrashedImages images = at(after)) {
                if (!Arrays.equals(images.read(TOP), expected)) {
                    findings.add(state + ", and the tool once more: reads as something else");
                }
                findings.addAll(
                        Stream.of(TOP, MIDDLE)
                                .map(images::corruptions)
                                .filter(text -> !text.isEmpty())
                                .toList());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (BlockException e) {
            findings.add(state + ", and the tool once more: " + e);
        } finally {
            sessionFolder = folder;
        }
    }

    private static long marked(CrashedImages opened) {
        try (CrashedImages images = opened) {
            return images.bitmaps(TOP).stream().mapToLong(BitmapInfo::dirtyBytes).sum();
        }
    }

    /** No mark goes: what a rebase writes it marks, and nothing else changes the bits. */
    private void judgeBitmap(String state, Map<String, FlatBytes> files, long marked) {
        try (CrashedImages images = at(files)) {
            for (BitmapInfo bitmap : images.bitmaps(TOP)) {
                if (!bitmap.inconsistent() && bitmap.dirtyBytes() < marked) {
                    findings.add(state + ": marks are missing: " + bitmap + ", were " + marked);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', false, ''",
        "'', false, cluster_size=512",
        "'', false, compat=0.10",
        "'', false, 'cluster_size=65536,extended_l2=on'",
        "'', true, refcount_bits=1",
        "'', false, bitmap",
        "base.raw, false, ''",
        "base.raw, false, lazy_refcounts=on",
    })
    @DisplayName("QCOW2 132: both files read right wherever a commit is cut off")
    void shouldReadTheSameWhenACommitIsCutOff(String base, boolean keep, String options)
            throws IOException {
        long seed = RandomOperations.seed();
        String target = base.isEmpty() ? MIDDLE : base;
        for (int round = 0; round < Math.max(1, ROUNDS); round++) {
            make(options, seed + round);
            byte[] expected = contentBefore(TOP);
            byte[] old = contentBefore(target);
            Tool tool = session -> commit(session, base, keep);
            crash(
                    new RecordedTools(false),
                    tool,
                    List.of(TOP, target),
                    (state, files) -> {
                        judgeTop(state, files, expected);
                        judgeTarget(state, files, target, old, expected);
                        if (states % 15 == 0) {
                            again(state, files, expected, tool);
                        }
                        judgeWrite(state, files);
                    });
            assertNothingFound("commit to " + target + ", " + options, seed + round);
            try (CrashedImages images = at(Map.of(TOP, now(TOP), target, now(target)))) {
                assertThat(images.read(target)).isEqualTo(expected);
                assertThat(images.read(TOP)).isEqualTo(expected);
            }
        }
    }

    private void commit(ImageSession session, String base, boolean keep) {
        @Nullable String name = base.isEmpty() ? null : base;
        new Commit(session, (done, total) -> {})
                .run(new LocalImage(sessionFolder.resolve(TOP), ImageFormat.QCOW2), name, keep);
    }

    /** Each sector of the backing file is as it was or as it is to be. */
    private void judgeTarget(
            String state,
            Map<String, FlatBytes> files,
            String target,
            byte[] old,
            byte[] expected) {
        try (CrashedImages images = at(files)) {
            byte[] content = images.read(target);
            if (content.length != old.length && content.length != expected.length) {
                findings.add(state + ": " + target + " has the size " + content.length);
                return;
            }
            byte[] longer = Arrays.copyOf(old, Math.max(old.length, expected.length));
            for (int at = 0; at < content.length; at += SECTOR) {
                int end = Math.min(content.length, at + SECTOR);
                if (!Arrays.equals(content, at, end, longer, at, end)
                        && !Arrays.equals(content, at, end, expected, at, end)) {
                    findings.add(state + ": " + target + " has neither content at " + at);
                    return;
                }
            }
        } catch (BlockException | AssertionError e) {
            findings.add(state + ": " + target + " cannot be used: " + e);
        }
    }

    private void assertNothingFound(String what, long seed) {
        findings.stream().limit(3).forEach(System.out::println);
        assertThat(findings).as("%s, repeat with -Dquoin.seed=%d", what, seed).isEmpty();
    }

    /** The judge must be able to see a loss, in one of a few samples of what may be lost. */
    @Test
    @DisplayName("QCOW2 132: the judge sees what is lost by tools on a file that lies about flush")
    @LogsErrors("image is corrupt: ") // a lost table may be what the judge sees
    void shouldSeeTheLossWhenTheFileLiesAboutFlush() throws IOException {
        requireLoss(session -> rebase(session, OTHER, "qcow2"), List.of(TOP));
        requireLoss(session -> commit(session, "", false), List.of(TOP, MIDDLE));
    }

    private void requireLoss(Tool tool, List<String> changed) throws IOException {
        long seed = RandomOperations.seed();
        for (int i = 0; i < LYING_SAMPLES && (i == 0 || findings.isEmpty()); i++) {
            make("", seed + i);
            byte[] expected = contentBefore(TOP);
            crash(
                    new RecordedTools(true),
                    tool,
                    changed,
                    (state, files) -> judgeTop(state, files, expected));
        }
        assertThat(findings).as("%s, seed=%d", changed, seed).isNotEmpty();
    }

    @AfterAll
    static void tell() {
        System.out.println(
                "tool crash: images=" + states + ", judged by qemu-img too=" + judgedByQemu);
    }
}
