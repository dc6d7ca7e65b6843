package io.quoin.xlator;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a file of a volume is called while it is in the trash: {@code NAME.trash-SECONDS-ID}, in the
 * folder where it was, so that the names in its header still hold. One rename moves it there, and
 * one brings it back. It ends in no suffix of an image, so that nothing takes it for a disk.
 *
 * <p>Threading: immutable.
 *
 * @param fileName what it was called
 * @param removedSeconds when it was removed, since 1970
 * @param id 8 hexadecimal digits, which tell those of one name apart
 */
public record TrashName(String fileName, long removedSeconds, String id) {
    /** What stands between the two parts. */
    public static final String MARK = ".trash-";

    private static final int ID_BYTES = 4;
    private static final Pattern ANY =
            Pattern.compile("(.+)\\.trash-(\\d{1,12})-([0-9a-f]{8})", Pattern.DOTALL);
    private static final SecureRandom RANDOM = new SecureRandom();

    /** A new name for a file that is removed at {@code now}. */
    public static TrashName of(String fileName, Instant now) {
        byte[] id = new byte[ID_BYTES];
        RANDOM.nextBytes(id);
        return new TrashName(
                fileName, Math.max(0, now.getEpochSecond()), HexFormat.of().formatHex(id));
    }

    /** Of a file that is in the trash; empty for any other. */
    public static Optional<TrashName> parse(String name) {
        Matcher matcher = ANY.matcher(name);
        return matcher.matches()
                ? Optional.of(
                        new TrashName(
                                matcher.group(1),
                                Long.parseLong(matcher.group(2)),
                                matcher.group(3)))
                : Optional.empty();
    }

    /** What {@code name} was called before it was in the trash; itself, if it is not. */
    public static String fileNameOf(String name) {
        return name.contains(MARK) ? parse(name).map(TrashName::fileName).orElse(name) : name;
    }

    /** For a message. */
    public static String text(String name) {
        return parse(name).map(trash -> trash.fileName + " (in the trash)").orElse(name);
    }

    /** The name of the file. */
    @Override
    public String toString() {
        return fileName + MARK + removedSeconds + '-' + id;
    }
}
