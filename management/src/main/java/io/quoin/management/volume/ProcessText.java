package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments and the environment of this process, byte for byte as {@link NameText}: the JVM
 * decodes them by the locale, and has one '?' for every byte that this does not know.
 *
 * <p>Threading: immutable.
 */
public final class ProcessText {
    private static final Path ARGUMENTS = Path.of("/proc/self/cmdline");
    private static final Path ENVIRONMENT = Path.of("/proc/self/environ");

    private ProcessText() {}

    /**
     * The arguments of {@code main}.
     *
     * @param decoded as the JVM has them
     * @throws BlockException EINVAL if what is lost in them cannot be found out
     */
    public static List<String> arguments(String[] decoded) {
        List<String> known = Arrays.asList(decoded);
        if (known.stream().noneMatch(ProcessText::mayHaveLost)) {
            return List.copyOf(known);
        }
        try {
            return exact(known, split(Files.readAllBytes(ARGUMENTS)));
        } catch (IOException e) {
            throw lost(e);
        }
    }

    /** The last of all of the process's, among which are the JVM's own. */
    static List<String> exact(List<String> decoded, List<String> all) {
        int first = all.size() - decoded.size();
        if (first < 0) {
            throw lost(null);
        }
        List<String> exact = all.subList(first, all.size());
        for (int i = 0; i < decoded.size(); i++) {
            if (!mayHaveLost(decoded.get(i)) && !decoded.get(i).equals(exact.get(i))) {
                throw lost(null);
            }
        }
        return List.copyOf(exact);
    }

    /** The environment as it was when the process began. */
    public static Map<String, String> environment() {
        Map<String, String> variables = new LinkedHashMap<>();
        try {
            for (String variable : split(Files.readAllBytes(ENVIRONMENT))) {
                int equals = variable.indexOf('=');
                if (equals > 0) {
                    variables.putIfAbsent(
                            variable.substring(0, equals), variable.substring(equals + 1));
                }
            }
            return variables;
        } catch (IOException e) {
            return System.getenv();
        }
    }

    /** Whether the JVM may have put something else for a byte. */
    static boolean mayHaveLost(String decoded) {
        return decoded.chars().anyMatch(c -> c == '?' || c >= 0x80);
    }

    /** Each ends with a NUL. */
    static List<String> split(byte[] texts) {
        List<String> split = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < texts.length; i++) {
            if (texts[i] == 0) {
                split.add(NameText.of(Arrays.copyOfRange(texts, from, i)));
                from = i + 1;
            }
        }
        return split;
    }

    private static BlockException lost(@org.jspecify.annotations.Nullable Exception cause) {
        return new BlockException(
                BlockError.EINVAL,
                "the arguments are not UTF-8, and cannot be read byte for byte: path="
                        + ARGUMENTS
                        + "; run this in a locale with UTF-8, as LC_ALL=C.UTF-8",
                cause);
    }
}
