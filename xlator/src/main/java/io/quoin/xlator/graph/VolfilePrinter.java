package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.Set;

/**
 * Prints volfiles in one form: type, options in their order, subvolumes; quotes only where a word
 * needs them.
 *
 * <p>Threading: immutable.
 */
final class VolfilePrinter {
    private static final Set<String> KEYWORDS =
            Set.of("volume", "type", "option", "subvolumes", "end-volume");

    private VolfilePrinter() {}

    static String print(Volfile volfile) {
        StringBuilder text = new StringBuilder();
        for (VolumeSpec volume : volfile.volumes()) {
            text.append(text.length() == 0 ? "" : "\n");
            text.append("volume ").append(word(volume.name())).append('\n');
            text.append("    type ").append(word(volume.type())).append('\n');
            volume.options()
                    .forEach(
                            (name, value) ->
                                    text.append("    option ")
                                            .append(word(name))
                                            .append(' ')
                                            .append(word(value))
                                            .append('\n'));
            if (!volume.subvolumes().isEmpty()) {
                text.append("    subvolumes");
                volume.subvolumes().forEach(name -> text.append(' ').append(word(name)));
                text.append('\n');
            }
            text.append("end-volume\n");
        }
        return text.toString();
    }

    private static String word(String value) {
        if (value.indexOf('\n') >= 0) {
            throw new BlockException(
                    BlockError.EINVAL, "a volfile cannot hold a value of two lines: " + value);
        }
        boolean isPlain = !value.isEmpty() && value.charAt(0) != '#' && !KEYWORDS.contains(value);
        for (int i = 0; i < value.length() && isPlain; i++) {
            char c = value.charAt(i);
            isPlain = VolfileTokens.isPlain(c) && c != '`' && !Character.isISOControl(c);
        }
        return isPlain ? value : '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
