package io.quoin.xlator.graph;

import java.util.List;
import java.util.Optional;

/**
 * The options that an xlator understands, in the order of its documentation.
 *
 * <p>Threading: immutable.
 */
public record OptionTable(List<Option> options) {
    public OptionTable {
        options = List.copyOf(options);
    }

    public static OptionTable of(Option... options) {
        return new OptionTable(List.of(options));
    }

    public Optional<Option> find(String name) {
        return options.stream().filter(option -> option.name().equals(name)).findFirst();
    }
}
