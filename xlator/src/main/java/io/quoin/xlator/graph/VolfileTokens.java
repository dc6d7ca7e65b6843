package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * The words of a volfile. A word is a run of anything but white space, quotes and backslashes; in
 * double quotes it may hold spaces, and a backslash takes the next character as it is. {@code #} at
 * the start of a word begins a comment up to the end of the line.
 *
 * <p>Threading: confined to the parser.
 */
final class VolfileTokens {
    private final String text;
    private final String source;
    private int position;
    private int line = 1;
    private int column = 1;

    VolfileTokens(String text, String source) {
        this.text = text;
        this.source = source;
    }

    /**
     * A word and where it starts.
     *
     * @param text without quotes
     * @param quoted whether it was in quotes, and so is no keyword
     * @param isEnd whether it stands for the end of the file
     */
    record Token(String text, boolean quoted, boolean isEnd, int line, int column) {
        boolean is(String keyword) {
            return !quoted && !isEnd && text.equals(keyword);
        }

        String shown() {
            return isEnd ? "end of file" : quoted ? '"' + text + '"' : text;
        }
    }

    /** Where messages about a token begin: {@code source:line:column: }. */
    String place(Token token) {
        return place(token.line(), token.column());
    }

    BlockException error(Token token, String message) {
        return new BlockException(BlockError.EINVAL, place(token) + message);
    }

    Token next() {
        skipBlanks();
        int startLine = line;
        int startColumn = column;
        if (position == text.length()) {
            return new Token("", false, true, startLine, startColumn);
        }
        return text.charAt(position) == '"'
                ? quoted(startLine, startColumn)
                : plain(startLine, startColumn);
    }

    private void skipBlanks() {
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == '#') {
                while (position < text.length() && text.charAt(position) != '\n') {
                    advance();
                }
            } else if (isBlank(c)) {
                advance();
            } else {
                return;
            }
        }
    }

    private Token plain(int startLine, int startColumn) {
        int start = position;
        while (position < text.length() && isPlain(text.charAt(position))) {
            if (text.charAt(position) == '`') {
                throw error("a command in back quotes is not run; put the value in double quotes");
            }
            if (Character.isISOControl(text.charAt(position))) {
                throw error("a control character is in the way");
            }
            advance();
        }
        if (position < text.length() && !isBlank(text.charAt(position))) {
            throw error("a quote or backslash in the middle of a word; quote the whole word");
        }
        return new Token(text.substring(start, position), false, false, startLine, startColumn);
    }

    private Token quoted(int startLine, int startColumn) {
        StringBuilder value = new StringBuilder();
        advance();
        while (position < text.length() && text.charAt(position) != '"') {
            if (text.charAt(position) == '\n') {
                break;
            }
            // A backslash does not carry a value over the end of its line either.
            if (text.charAt(position) == '\\'
                    && position + 1 < text.length()
                    && text.charAt(position + 1) != '\n') {
                advance();
            }
            value.append(text.charAt(position));
            advance();
        }
        if (position == text.length() || text.charAt(position) == '\n') {
            throw new BlockException(
                    BlockError.EINVAL,
                    place(startLine, startColumn) + "a quoted value has no end on its line");
        }
        advance();
        if (position < text.length() && !isBlank(text.charAt(position))) {
            throw error("a quoted value goes on behind its closing quote");
        }
        return new Token(value.toString(), true, false, startLine, startColumn);
    }

    private void advance() {
        if (text.charAt(position) == '\n') {
            line++;
            column = 1;
        } else {
            column++;
        }
        position++;
    }

    private BlockException error(String message) {
        return new BlockException(BlockError.EINVAL, place(line, column) + message);
    }

    private String place(int atLine, int atColumn) {
        return source + ":" + atLine + ":" + atColumn + ": ";
    }

    static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
    }

    /** Whether a word without quotes may hold it. */
    static boolean isPlain(char c) {
        return !isBlank(c) && c != '"' && c != '\\';
    }
}
