package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * Each command of Quoin in a block of README and docs, and in the examples of each command's help,
 * is one, with options and arguments that it takes. Synopses, with brackets or three dots, are for
 * people.
 */
@Timeout(60)
class CommandsInDocsTest {
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));

    /** A command within another. */
    private static final Pattern INNER = Pattern.compile("[$<]\\(([^()]*)\\)");

    /** What it may have printed. */
    private static final String WORD = "00000000-0000-4000-8000-000000000000";

    /** A command, and where it stands. */
    private record Found(String page, String line) {}

    @Test
    void shouldHaveCommandsThatCanBeParsedInThePages() throws IOException {
        List<Found> found = new ArrayList<>();
        try (Stream<Path> pages = Files.list(ROOT)) {
            collect(pages, found);
        }
        try (Stream<Path> pages = Files.walk(ROOT.resolve("docs"))) {
            collect(pages, found);
        }
        assertThat(found).hasSizeGreaterThan(40);
        assertThat(found).allSatisfy(CommandsInDocsTest::check);
    }

    @Test
    void shouldHaveCommandsThatCanBeParsedInTheExamplesOfTheHelp() {
        List<Found> found = new ArrayList<>();
        collect(QuoinCommand.commandLine(), found);
        assertThat(found).hasSizeGreaterThan(100);
        assertThat(found).allSatisfy(CommandsInDocsTest::check);
    }

    private static void collect(CommandLine command, List<Found> found) {
        String name = command.getCommandSpec().qualifiedName();
        String footer = String.join("\n", command.getCommandSpec().usageMessage().footer());
        collect(name, footer.replace("%%", "%").indent(2), found);
        command.getSubcommands().values().forEach(below -> collect(below, found));
    }

    private static void collect(Stream<Path> files, List<Found> found) throws IOException {
        for (Path page : files.filter(CommandsInDocsTest::isPage).sorted().toList()) {
            collect(ROOT.relativize(page).toString(), Files.readString(page), found);
        }
    }

    private static boolean isPage(Path file) {
        return file.toString().endsWith(".md");
    }

    /**
     * Lines that are indented as a block is, or between fences, and lines that go on after them.
     */
    private static void collect(String page, String text, List<Found> found) {
        boolean isFenced = false;
        StringBuilder whole = new StringBuilder();
        for (String line : text.split("\n", -1)) {
            if (line.startsWith("```")) {
                isFenced = !isFenced;
            }
            boolean isBlock = isFenced || line.startsWith("    ");
            boolean goesOn = line.endsWith("\\");
            if (isBlock) {
                whole.append(goesOn ? line.substring(0, line.length() - 1) : line);
            }
            if (!goesOn) {
                addCommands(page, whole.toString().strip(), found);
                whole.setLength(0);
            }
        }
    }

    private static void addCommands(String page, String line, List<Found> found) {
        String plain = line.replaceFirst("^# .*", "").replaceFirst("(\\s{2,}|\\s)# .*$", "");
        boolean isSynopsis = plain.contains("[") || plain.contains("...");
        Matcher inner = INNER.matcher(plain);
        if (inner.find()) {
            addCommands(page, inner.group(1), found);
            addCommands(page, inner.replaceFirst(WORD), found);
            return;
        }
        for (String part : plain.split("&&|\\||;", -1)) {
            String command = part.strip().replaceFirst("^(sudo -u \\S+ |\\S*/)?", "");
            if (command.startsWith("quoin ") && !isSynopsis) {
                found.add(new Found(page, command));
            }
        }
    }

    private static void check(Found found) {
        // What a help has behind an example is for people, two spaces away.
        String line = found.line().replaceFirst("\\s{2,}\\S.*$", "").replaceFirst(" *[<>&].*$", "");
        List<String> arguments = words(line);
        String[] typed = arguments.subList(1, arguments.size()).toArray(new String[0]);
        try {
            QuoinCommand.commandLine(typed).parseArgs(typed);
        } catch (ParameterException e) {
            throw new AssertionError(found + " is parsed as " + arguments, e);
        }
    }

    /** As a shell would, of quotes no more than that they hold a word together. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        char quote = 0;
        boolean isWord = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else {
                    word.append(c);
                }
            } else if (c == '\'' || c == '"') {
                quote = c;
                isWord = true;
            } else if (c == ' ') {
                if (isWord) {
                    words.add(word.toString());
                    word.setLength(0);
                    isWord = false;
                }
            } else {
                word.append(c);
                isWord = true;
            }
        }
        if (isWord) {
            words.add(word.toString());
        }
        return words;
    }
}
