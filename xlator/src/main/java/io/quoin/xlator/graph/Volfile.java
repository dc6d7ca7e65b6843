package io.quoin.xlator.graph;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A graph as text, in GlusterFS's syntax: volumes from the bottom up, the last one is the top.
 *
 * <pre>{@code
 * volume brick
 *     type storage/posix
 *     option directory /srv/quoin
 * end-volume
 *
 * volume images
 *     type features/qcow2
 *     subvolumes brick
 * end-volume
 * }</pre>
 *
 * <p>A volfile that exists is sound in itself: names are unique, subvolumes are defined before they
 * are used, and there is one top. Whether types and options exist is known when it is built.
 *
 * <p>Threading: immutable.
 */
public final class Volfile {
    private final List<VolumeSpec> volumes;
    private final Map<Item, String> places;

    Volfile(List<VolumeSpec> volumes, Map<Item, String> places) {
        this.volumes = List.copyOf(volumes);
        this.places = Map.copyOf(places);
    }

    /**
     * A volfile made by a program.
     *
     * @throws BlockException if it is not sound
     */
    public static Volfile of(List<VolumeSpec> volumes) {
        Volfile volfile = new Volfile(volumes, Map.of());
        VolfileRules.check(volfile);
        return volfile;
    }

    /**
     * Parses a volfile.
     *
     * @param source what messages call it, usually the file's name
     * @throws BlockException with line and column, at the first error
     */
    public static Volfile parse(String text, String source) {
        Volfile volfile = new VolfileParser(text, source).parse();
        VolfileRules.check(volfile);
        return volfile;
    }

    /** Reads and parses a file in UTF-8. */
    public static Volfile read(Path file) {
        try {
            return parse(Files.readString(file), NameText.of(file));
        } catch (NoSuchFileException e) {
            throw new BlockException(
                    BlockError.ENOENT, "no such volfile: path=" + NameText.of(file), e);
        } catch (CharacterCodingException e) {
            throw new BlockException(
                    BlockError.EINVAL, "volfile is not UTF-8: path=" + NameText.of(file), e);
        } catch (IOException e) {
            throw Reason.failure("cannot read volfile", NameText.of(file), e);
        }
    }

    /** From the bottom up. */
    public List<VolumeSpec> volumes() {
        return volumes;
    }

    /** The node that no other is above of. */
    public VolumeSpec top() {
        return volumes.stream()
                .filter(
                        candidate ->
                                volumes.stream()
                                        .noneMatch(v -> v.subvolumes().contains(candidate.name())))
                .findFirst()
                .orElseThrow();
    }

    /** The canonical text: {@code parse(print())} equals this. */
    public String print() {
        return VolfilePrinter.print(this);
    }

    /** An error of an item, with its place where that is known. */
    BlockException error(Item item, String message) {
        return new BlockException(BlockError.EINVAL, place(item) + message);
    }

    /** As {@link #error(Item, String)}, for something that went wrong further down. */
    BlockException error(Item item, BlockException cause) {
        return new BlockException(cause.error(), place(item) + cause.getMessage(), cause);
    }

    private String place(Item item) {
        String place = places.get(item);
        return place == null ? "volume " + item.volume() + ": " : place;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Volfile that && volumes.equals(that.volumes);
    }

    @Override
    public int hashCode() {
        return volumes.hashCode();
    }

    @Override
    public String toString() {
        return print();
    }

    /**
     * Something in a volfile that an error may be about.
     *
     * @param volume the volume's number, from 0, and name
     * @param part its name, type, an option or a subvolume
     */
    record Item(int index, String volume, String part) {
        static final String NAME = "volume";
        static final String TYPE = "type";
        static final String SUBVOLUMES = "subvolumes";

        static String option(String name) {
            return "option " + name;
        }

        static String subvolume(int number) {
            return "subvolumes " + number;
        }
    }
}
