package io.quoin.xlator.debug;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.xlator.graph.NearestName;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The file operations of an xlator: those of the data path, which are {@link IoOp}s, and those of
 * the namespace. Options list them by name; GlusterFS's names are understood too.
 *
 * <p>Threading: immutable.
 */
public enum Fop {
    READ("read", "readv"),
    WRITE("write", "writev"),
    WRITE_ZEROES("write-zeroes", "zerofill"),
    DISCARD("discard"),
    FLUSH("flush", "fsync"),
    BLOCK_STATUS("block-status", "seek"),
    CACHE("cache"),
    LIST("list", "readdir", "readdirp"),
    STAT("stat", "lookup"),
    STATFS("statfs"),
    CREATE("create"),
    OPEN("open"),
    RENAME("rename"),
    REPLACE("replace"),
    REMOVE("remove", "unlink"),
    RESIZE("resize", "truncate", "ftruncate"),
    CLOSE("close", "release");

    private final String text;
    private final String aliases;

    Fop(String text, String... aliases) {
        this.text = text;
        this.aliases = " " + String.join(" ", aliases) + " ";
    }

    /** As options and statistics call it. */
    public String text() {
        return text;
    }

    /** The operation of a request. */
    public static Fop of(IoOp op) {
        return switch (op) {
            case READ -> READ;
            case WRITE -> WRITE;
            case WRITE_ZEROES -> WRITE_ZEROES;
            case DISCARD -> DISCARD;
            case FLUSH -> FLUSH;
            case BLOCK_STATUS -> BLOCK_STATUS;
            case CACHE -> CACHE;
        };
    }

    /**
     * The operations in a list such as {@code read, write}.
     *
     * @throws BlockException naming the one that is unknown
     */
    public static Set<Fop> parse(String list) {
        Set<Fop> fops = EnumSet.noneOf(Fop.class);
        for (String part : list.split("[,\\s]+", 0)) {
            if (!part.isEmpty()) {
                fops.add(find(part));
            }
        }
        return fops;
    }

    private boolean isCalled(String name) {
        return text.equals(name) || aliases.contains(" " + name + " ");
    }

    private static Fop find(String name) {
        String wanted = name.toLowerCase(Locale.ROOT).replace('_', '-');
        return Arrays.stream(values())
                .filter(fop -> fop.isCalled(wanted))
                .findFirst()
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.EINVAL,
                                        NearestName.unknown("operation", name, texts())));
    }

    private static List<String> texts() {
        return Arrays.stream(values()).map(Fop::text).toList();
    }
}
