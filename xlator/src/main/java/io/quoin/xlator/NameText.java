package io.quoin.xlator;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Names of files as text, in any locale. To Linux a name is bytes; as text it is UTF-8, and a byte
 * that is no part of valid UTF-8 is the character U+DC00 plus its value, which no valid text has
 * (Python's {@code surrogateescape}, PEP 383). So every name has one text and every such text one
 * name: names that differ stay different.
 *
 * <p>{@link Path} keeps bytes too, but turns them into text and back by the JVM's locale, and loses
 * what that has no character for. {@code Path.of(String)} and {@code Path.toString()} are therefore
 * no way for a name that a user gave; {@link #path} and {@link #of(Path)} are.
 *
 * <p>Threading: immutable.
 */
public final class NameText {
    private static final char ESCAPE = '\uDC00';
    private static final int BYTE_MASK = 0xFF;
    private static final int ASCII_END = 0x80;
    private static final Path ROOT = Path.of("/");

    private NameText() {}

    /** The text of a name. */
    public static String of(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(name);
        CharBuffer out = CharBuffer.allocate(name.length + 1); // never more characters than bytes
        while (true) {
            CoderResult result = decoder.decode(in, out, true);
            if (!result.isError()) {
                return out.flip().toString();
            }
            for (int i = 0; i < result.length(); i++) {
                out.put((char) (ESCAPE + (in.get() & BYTE_MASK)));
            }
            decoder.reset();
        }
    }

    /**
     * The bytes of a name.
     *
     * @throws BlockException EINVAL for a text that {@link #of(byte[])} never gives, since another
     *     one has the same bytes, or none has
     */
    public static byte[] bytes(String text) {
        ByteBuffer out = ByteBuffer.allocate(text.length() * 3);
        int from = 0;
        for (int i = 0; i <= text.length(); i++) {
            if (i == text.length() || isEscaped(text, i)) {
                encode(text, from, i, out);
                from = i + 1;
                if (i < text.length()) {
                    out.put((byte) (text.charAt(i) - ESCAPE));
                }
            }
        }
        byte[] bytes = Arrays.copyOf(out.array(), out.position());
        if (!of(bytes).equals(text)) {
            throw notUtf8(text, null);
        }
        return bytes;
    }

    /** Whether there is a byte at {@code index} that is no part of UTF-8. */
    private static boolean isEscaped(String text, int index) {
        char c = text.charAt(index);
        return c >= ESCAPE + ASCII_END
                && c <= ESCAPE + BYTE_MASK
                && !(index > 0 && Character.isHighSurrogate(text.charAt(index - 1)));
    }

    private static void encode(String text, int from, int to, ByteBuffer out) {
        try {
            out.put(StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text, from, to)));
        } catch (CharacterCodingException e) {
            throw notUtf8(text, e);
        }
    }

    private static BlockException notUtf8(
            String text, @org.jspecify.annotations.Nullable Exception cause) {
        return new BlockException(
                BlockError.EINVAL, "name cannot be written in UTF-8: name=" + text, cause);
    }

    /** Whether all of it is UTF-8. */
    public static boolean isUtf8(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (isEscaped(text, i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * The path of that text, absolute or relative as it is.
     *
     * @throws BlockException EINVAL if no file can be called so
     */
    public static Path path(String text) {
        byte[] bytes = bytes(text);
        StringBuilder uri = new StringBuilder("file:///");
        boolean isAscii = true;
        for (byte b : bytes) {
            if (b == 0) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "illegal file name: name=" + printable(text) + ", expected=no NUL in it");
            }
            isAscii &= b > 0;
            boolean isRepeatedSlash = b == '/' && uri.charAt(uri.length() - 1) == '/';
            if (b == '/' && !isRepeatedSlash) {
                uri.append('/');
            } else if (b != '/') {
                uri.append(String.format("%%%02X", b & BYTE_MASK));
            }
        }
        if (isAscii) {
            return Path.of(text);
        }
        // The one way to a path that looks at no locale.
        Path absolute = Path.of(URI.create(uri.toString()));
        return text.startsWith("/") ? absolute : absolute.subpath(0, absolute.getNameCount());
    }

    /** The text of a path, absolute or relative as it is. */
    public static String of(Path path) {
        String plain = path.toString();
        if (plain.chars().allMatch(c -> c < ASCII_END)) {
            return plain;
        }
        String uri = ROOT.resolve(path).toUri().getRawPath();
        int end = uri.endsWith("/") ? uri.length() - 1 : uri.length(); // behind that of a folder
        ByteBuffer bytes = ByteBuffer.allocate(end);
        for (int i = path.isAbsolute() ? 0 : 1; i < end; i++) {
            char c = uri.charAt(i);
            if (c == '%') {
                bytes.put((byte) Integer.parseInt(uri, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.put((byte) c);
            }
        }
        return of(Arrays.copyOf(bytes.array(), bytes.position()));
    }

    /** The last part of a path, which has one. */
    public static String lastOf(Path path) {
        Path last = path.getFileName();
        return last == null ? "" : of(last);
    }

    /** The path from the root on, whatever the working folder is called. */
    public static Path absolute(Path path) {
        return path.isAbsolute() ? path : WorkingFolder.PATH.resolve(path);
    }

    /**
     * A text to be shown: on one line, with nothing that a terminal obeys or cannot show. A byte
     * that is no UTF-8 and a control character are {@code \xHH}, a backslash is doubled where
     * something is escaped.
     */
    public static String printable(String text) {
        boolean isPlain = true;
        for (int i = 0; i < text.length(); i++) {
            isPlain &= isShown(text, i);
        }
        if (isPlain) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                shown.append("\\\\");
            } else if (isShown(text, i)) {
                shown.append(c);
            } else if (isEscaped(text, i) || c < ASCII_END) {
                shown.append(String.format("\\x%02x", c & BYTE_MASK));
            } else {
                shown.append(String.format("\\u%04x", (int) c));
            }
        }
        return shown.toString();
    }

    private static boolean isShown(String text, int index) {
        return !isAlone(text, index) && !Character.isISOControl(text.charAt(index));
    }

    /** Whether there is half of a character, which has no form in UTF-8. */
    private static boolean isAlone(String text, int index) {
        char c = text.charAt(index);
        if (Character.isHighSurrogate(c)) {
            return index + 1 == text.length() || !Character.isLowSurrogate(text.charAt(index + 1));
        }
        return Character.isLowSurrogate(c)
                && (index == 0 || !Character.isHighSurrogate(text.charAt(index - 1)));
    }

    /**
     * A JSON text with the same strings in it that can be written in UTF-8: a byte of a name that
     * is no UTF-8 is {@code \\udcHH}, as Python reads and writes it.
     */
    public static String json(String json) {
        boolean isPlain = true;
        for (int i = 0; i < json.length(); i++) {
            isPlain &= !isAlone(json, i);
        }
        if (isPlain) {
            return json;
        }
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            plain.append(isAlone(json, i) ? String.format("\\u%04x", (int) c) : c);
        }
        return plain.toString();
    }

    /** Asked once: it does not change. */
    private static final class WorkingFolder {
        static final Path PATH = find();

        private static Path find() {
            Path known = Path.of("").toAbsolutePath();
            // '?' is what the JVM has for a byte that its locale does not know.
            if (known.toString().chars().allMatch(c -> c < ASCII_END && c != '?')) {
                return known;
            }
            try {
                return Path.of("/proc/self/cwd").toRealPath();
            } catch (java.io.IOException e) {
                return known;
            }
        }
    }
}
