package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.volume.DiskVolume;
import io.quoin.xlator.graph.NearestName;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The commands on a volume that is open in this process.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeCommands implements Commands {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final DiskVolume volume;
    private final Map<String, Function<ObjectNode, Object>> commands = new TreeMap<>();

    /**
     * @param addresses where disks can be attached
     * @param status what {@code status} answers
     */
    public VolumeCommands(
            DiskVolume volume, Supplier<NbdAddresses> addresses, Supplier<Object> status) {
        this.volume = volume;
        commands.put("disk.create", this::create);
        commands.put("disk.ls", arguments -> volume.list());
        commands.put("disk.info", arguments -> volume.info(name(arguments)));
        commands.put(
                "disk.resize", arguments -> volume.resize(name(arguments), sizeBytes(arguments)));
        commands.put("disk.rm", this::remove);
        commands.put("nbd.addresses", arguments -> addresses.get());
        commands.put("status", arguments -> status.get());
    }

    @Override
    public JsonNode call(String command, ObjectNode arguments) {
        Function<ObjectNode, Object> function = commands.get(command);
        if (function == null) {
            throw new BlockException(
                    BlockError.EINVAL, NearestName.unknown("command", command, commands.keySet()));
        }
        return JSON.valueToTree(function.apply(arguments));
    }

    @Override
    public void close() {
        // The volume is its owner's.
    }

    private Object create(ObjectNode arguments) {
        Map<String, String> options = new HashMap<>();
        arguments
                .path("options")
                .properties()
                .forEach(option -> options.put(option.getKey(), option.getValue().asText()));
        return volume.create(name(arguments), sizeBytes(arguments), options);
    }

    private Object remove(ObjectNode arguments) {
        String name = name(arguments);
        volume.remove(name);
        return Map.of("name", name, "removed", true);
    }

    private static String name(ObjectNode arguments) {
        JsonNode name = arguments.path("name");
        if (!name.isTextual()) {
            throw wrong("name", "a text", name);
        }
        return name.asText();
    }

    private static long sizeBytes(ObjectNode arguments) {
        JsonNode size = arguments.path("sizeBytes");
        if (!size.isIntegralNumber() || !size.canConvertToLong()) {
            throw wrong("sizeBytes", "a whole number", size);
        }
        return size.asLong();
    }

    private static BlockException wrong(String argument, String expected, JsonNode actual) {
        return new BlockException(
                BlockError.EINVAL,
                "wrong argument: name="
                        + argument
                        + ", expected="
                        + expected
                        + ", actual="
                        + (actual.isMissingNode() ? "nothing" : actual));
    }
}
