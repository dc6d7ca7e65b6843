package io.quoin.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every line of the qcow2 checklist has a test that is named after it, or a reason why it has none.
 */
@Timeout(60)
class ChecklistTest {
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));
    private static final Path LIST =
            ROOT.resolve("qcow2/src/test/resources/io/quoin/qcow2/checklist.txt");
    private static final String TESTS = "src/test/java";
    private static final int LINES = 154;

    private static final Pattern LINE =
            Pattern.compile("(\\d+): [^|]+?(?: \\| (no test|partly): \\S[^|]*)?");
    private static final Pattern NUMBERS = Pattern.compile("(\\d+)(?:-(\\d+))?");
    private static final Pattern NAMED = Pattern.compile("@DisplayName\\(\\s*\"QCOW2([^\"]*)\"");
    private static final Pattern NUMBERED =
            Pattern.compile(" (\\d+(?:-\\d+)?(?:, \\d+(?:-\\d+)?)*): .+");
    private static final Pattern HOSTILE = Pattern.compile("\"(\\d+): [^\"]+\"");

    /** What the list says of each line: "no test", "partly" or nothing. */
    private final Map<Integer, String> list = new TreeMap<>();

    /** The files with tests of each line. */
    private final Map<Integer, Set<String>> tests = new TreeMap<>();

    @BeforeEach
    void read() throws IOException {
        for (String line : Files.readAllLines(LIST)) {
            if (line.startsWith("#")) {
                continue;
            }
            Matcher matcher = LINE.matcher(line);
            assertThat(matcher.matches()).as(line).isTrue();
            int number = Integer.parseInt(matcher.group(1));
            String says = matcher.group(2) == null ? "" : matcher.group(2);
            assertThat(list.put(number, says)).as("an earlier line %d", number).isNull();
        }
        for (Path module : modules()) {
            try (Stream<Path> files = Files.walk(module.resolve(TESTS))) {
                files.filter(file -> file.toString().endsWith(".java"))
                        .sorted()
                        .forEach(this::collect);
            }
        }
    }

    private static List<Path> modules() throws IOException {
        try (Stream<Path> folders = Files.list(ROOT)) {
            return folders.filter(folder -> Files.isDirectory(folder.resolve(TESTS)))
                    .sorted()
                    .toList();
        }
    }

    private void collect(Path file) {
        String text = text(file);
        for (MatchResult name : all(NAMED, text)) {
            Matcher numbered = NUMBERED.matcher(name.group(1));
            assertThat(numbered.matches()).as("%s: %s", file, name.group()).isTrue();
            add(numbered.group(1), file);
        }
        if (file.toString().matches(".*/hostile/\\w+Images\\.java")) {
            all(HOSTILE, text).forEach(name -> add(name.group(1), file));
        }
    }

    private static List<MatchResult> all(Pattern pattern, String text) {
        return pattern.matcher(text).results().toList();
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Numbers and ranges of them. */
    private void add(String numbers, Path file) {
        for (MatchResult part : all(NUMBERS, numbers)) {
            int first = Integer.parseInt(part.group(1));
            int last = part.group(2) == null ? first : Integer.parseInt(part.group(2));
            assertThat(last).as("%s: %s", file, numbers).isGreaterThanOrEqualTo(first);
            for (int number = first; number <= last; number++) {
                tests.computeIfAbsent(number, key -> new TreeSet<>())
                        .add(file.getFileName().toString());
            }
        }
    }

    @Test
    void shouldHaveATestOrAReasonForEachLine() {
        long named = list.keySet().stream().filter(tests::containsKey).count();
        System.out.println("qcow2 checklist: lines=" + list.size() + ", with tests=" + named);
        assertThat(list.keySet())
                .containsExactlyElementsOf(IntStream.rangeClosed(1, LINES).boxed().toList());
        list.forEach(
                (number, says) -> {
                    if (says.equals("no test")) {
                        assertThat(tests.get(number))
                                .as("line %d has a reason for having no test, and tests", number)
                                .isNull();
                    } else {
                        assertThat(tests.get(number)).as("tests of line %d", number).isNotNull();
                    }
                });
    }

    @Test
    void shouldNameOnlyLinesThatThereAre() {
        assertThat(list.keySet()).containsAll(tests.keySet());
    }
}
