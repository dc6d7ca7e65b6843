package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * What a disk may be called: 1 to 200 characters out of letters, digits, {@code .}, {@code _} and
 * {@code -}, not starting with {@code .} or {@code -}. So a name never is a path, a hidden file or
 * an option, and {@code @} is left for snapshots.
 *
 * <p>Threading: immutable.
 */
public final class DiskName {
    private static final int LENGTH_MAX = 200;
    private static final String RULE =
            "1 to " + LENGTH_MAX + " characters out of A-Z a-z 0-9 . _ -, not starting with . or -";

    private DiskName() {}

    /**
     * Returns {@code name}.
     *
     * @throws BlockException with EINVAL and the rule, if no disk can have that name
     */
    public static String check(String name) {
        if (!isLegal(name)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal disk name: name=" + printable(name) + ", expected=" + RULE);
        }
        return name;
    }

    /** Whether a disk can have that name. */
    public static boolean isLegal(String name) {
        if (name.isEmpty() || name.length() > LENGTH_MAX) {
            return false;
        }
        if (name.charAt(0) == '.' || name.charAt(0) == '-') {
            return false;
        }
        return name.chars().allMatch(DiskName::isLegalCharacter);
    }

    private static boolean isLegalCharacter(int character) {
        return (character >= 'a' && character <= 'z')
                || (character >= 'A' && character <= 'Z')
                || (character >= '0' && character <= '9')
                || character == '.'
                || character == '_'
                || character == '-';
    }

    static String printable(String name) {
        StringBuilder text = new StringBuilder();
        name.chars()
                .limit(LENGTH_MAX)
                .forEach(c -> text.append(Character.isISOControl(c) ? '?' : (char) c));
        return text.append(name.length() > LENGTH_MAX ? "..." : "").toString();
    }
}
