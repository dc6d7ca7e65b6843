package io.quoin.xlator.graph;

import io.quoin.xlator.graph.Volfile.Item;
import io.quoin.xlator.graph.VolfileTokens.Token;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Parses the text of a volfile into volumes, and notes the place of everything that a later error
 * may be about. The parts of a volume may come in any order.
 *
 * <p>Threading: confined to the caller.
 */
final class VolfileParser {
    private static final String VOLUME = "volume";
    private static final String TYPE = "type";
    private static final String OPTION = "option";
    private static final String SUBVOLUMES = "subvolumes";
    private static final String END = "end-volume";
    private static final List<String> PARTS = List.of(TYPE, OPTION, SUBVOLUMES, END);
    private static final Set<String> KEYWORDS = Set.of(VOLUME, TYPE, OPTION, SUBVOLUMES, END);

    private final VolfileTokens tokens;
    private final List<VolumeSpec> volumes = new ArrayList<>();
    private final Map<Item, String> places = new HashMap<>();
    private Token token;

    VolfileParser(String text, String source) {
        tokens = new VolfileTokens(text, source);
        token = tokens.next();
    }

    Volfile parse() {
        if (token.isEnd()) {
            throw tokens.error(token, "volfile is empty: expected=volume");
        }
        while (!token.isEnd()) {
            if (!token.is(VOLUME)) {
                throw unexpected("volume", List.of(VOLUME));
            }
            token = tokens.next();
            volumes.add(parseVolume());
        }
        return new Volfile(volumes, places);
    }

    private VolumeSpec parseVolume() {
        Token nameToken = token;
        String name = word("the volume's name");
        note(name, Item.NAME, nameToken);
        Map<String, String> options = new LinkedHashMap<>();
        List<String> subvolumes = new ArrayList<>();
        @Nullable String type = null;
        while (!token.is(END)) {
            Token keyword = token;
            if (token.is(TYPE)) {
                type = parseType(name, type);
            } else if (token.is(OPTION)) {
                parseOption(name, options);
            } else if (token.is(SUBVOLUMES)) {
                parseSubvolumes(name, subvolumes);
            } else if (token.isEnd() || token.is(VOLUME)) {
                throw tokens.error(
                        keyword,
                        "end-volume is missing: volume="
                                + name
                                + ", begun at line "
                                + nameToken.line());
            } else {
                throw unexpected("a part of volume " + name, PARTS);
            }
        }
        if (type == null) {
            throw tokens.error(token, "volume has no type: name=" + name);
        }
        token = tokens.next();
        return new VolumeSpec(name, type, options, subvolumes);
    }

    private String parseType(String volume, @Nullable String before) {
        if (before != null) {
            throw tokens.error(token, "volume has two types: name=" + volume);
        }
        token = tokens.next();
        Token place = token;
        String type = word("the type");
        note(volume, Item.TYPE, place);
        return type;
    }

    private void parseOption(String volume, Map<String, String> options) {
        token = tokens.next();
        Token place = token;
        String option = word("the option's name");
        String value = word("the value of option " + option);
        if (options.putIfAbsent(option, value) != null) {
            throw tokens.error(
                    place, "option is given twice: volume=" + volume + ", name=" + option);
        }
        note(volume, Item.option(option), place);
    }

    private void parseSubvolumes(String volume, List<String> subvolumes) {
        if (!subvolumes.isEmpty()) {
            throw tokens.error(token, "volume has two lists of subvolumes: name=" + volume);
        }
        note(volume, Item.SUBVOLUMES, token);
        token = tokens.next();
        do {
            note(volume, Item.subvolume(subvolumes.size()), token);
            subvolumes.add(word("the name of a subvolume"));
        } while (!token.isEnd() && (token.quoted() || !KEYWORDS.contains(token.text())));
    }

    private String word(String what) {
        if (token.isEnd() || (!token.quoted() && KEYWORDS.contains(token.text()))) {
            throw tokens.error(token, what + " is missing: found=" + token.shown());
        }
        String word = token.text();
        token = tokens.next();
        return word;
    }

    private void note(String volume, String part, Token place) {
        places.put(new Item(volumes.size(), volume, part), tokens.place(place));
    }

    private RuntimeException unexpected(String what, List<String> expected) {
        String hint =
                NearestName.find(token.text(), expected)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; a value with spaces goes in double quotes");
        return tokens.error(
                token,
                "expected "
                        + what
                        + ": expected="
                        + String.join(", ", expected)
                        + ", actual="
                        + token.shown()
                        + hint);
    }
}
