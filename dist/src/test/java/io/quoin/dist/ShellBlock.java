package io.quoin.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Lines of a page that a reader types into a shell.
 *
 * @param page its path in the project
 * @param line where it begins
 * @param text as it stands there, without the indentation
 * @param whyNot why it is not run here, by the comment {@code <!-- not run: WHY -->} before it
 */
record ShellBlock(String page, int line, String text, @Nullable String whyNot) {
    private static final String INDENTATION = "    ";
    private static final Pattern WHY_NOT = Pattern.compile("<!-- not run: (.+) -->");
    private static final Pattern FENCE = Pattern.compile("```(sh|bash|console)?");

    /** What a block of commands begins with; the others are formats, pictures and volfiles. */
    private static final Set<String> PROGRAMS =
            Set.of(
                    "quoin",
                    "nbdcopy",
                    "nbdinfo",
                    "qemu-img",
                    "qemu-system-x86_64",
                    "curl",
                    "apt",
                    "sudo",
                    "tar",
                    "openssl",
                    "source",
                    "systemctl",
                    "virsh",
                    "rsync",
                    "mvn");

    /** Commands with places to be filled in, for people. */
    boolean isSynopsis() {
        return text.contains("...") || text.contains("[-");
    }

    String place() {
        return page + ":" + line;
    }

    static List<ShellBlock> of(Path root, Path page) throws IOException {
        List<ShellBlock> blocks = new ArrayList<>();
        String name = root.relativize(page).toString();
        String before = "";
        StringBuilder block = new StringBuilder();
        int begin = 0;
        int number = 0;
        boolean isFenced = false;
        boolean isShell = false;
        for (String line : Files.readString(page).concat("\n\n").split("\n", -1)) {
            number++;
            if (line.startsWith("```")) {
                isFenced = !isFenced;
                isShell = isFenced && FENCE.matcher(line).matches();
            } else if (isFenced ? isShell : line.startsWith(INDENTATION)) {
                begin = block.length() == 0 ? number : begin;
                block.append(isFenced ? line : line.substring(INDENTATION.length())).append('\n');
                continue;
            }
            if (block.length() > 0) {
                add(name, begin, block.toString(), before, blocks);
                block.setLength(0);
            }
            before = line.isBlank() || line.startsWith("```") ? before : line;
        }
        return blocks;
    }

    private static void add(
            String page, int line, String text, String before, List<ShellBlock> blocks) {
        String first = text.strip().split("\\s", 2)[0];
        if (PROGRAMS.contains(first.substring(first.lastIndexOf('/') + 1))) {
            Matcher why = WHY_NOT.matcher(before);
            blocks.add(new ShellBlock(page, line, text, why.matches() ? why.group(1) : null));
        } else if (Pattern.compile("^(\\S*/)?quoin [a-z]+ ", Pattern.MULTILINE)
                .matcher(text)
                .find()) {
            throw new AssertionError("is it to be run? " + page + ":" + line + ": " + first);
        }
    }
}
