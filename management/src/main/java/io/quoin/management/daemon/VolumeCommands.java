package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DiskVolume;
import io.quoin.qcow2.served.OpenCheck;
import io.quoin.xlator.graph.NearestName;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiFunction;
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
    private final Map<String, BiFunction<ObjectNode, CheckEvents, Object>> longCommands =
            new TreeMap<>();

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
        longCommands.put("disk.check", this::check);
        commands.put("nbd.addresses", arguments -> addresses.get());
        commands.put("status", arguments -> status.get());
    }

    @Override
    public JsonNode call(String command, ObjectNode arguments, CheckEvents events) {
        BiFunction<ObjectNode, CheckEvents, Object> longFunction = longCommands.get(command);
        if (longFunction != null) {
            return JSON.valueToTree(longFunction.apply(arguments, events));
        }
        Function<ObjectNode, Object> function = commands.get(command);
        if (function == null) {
            Set<String> known = new TreeSet<>(commands.keySet());
            known.addAll(longCommands.keySet());
            throw new BlockException(
                    BlockError.EINVAL, NearestName.unknown("command", command, known));
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

    private Object check(ObjectNode arguments, CheckEvents events) {
        String name = name(arguments);
        String repair = arguments.path("repair").asText("none");
        if (repair.equals("all")) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "only leaks can be repaired while a disk may be served: repair=all; stop the"
                            + " service, then: quoin image check --repair all FILE");
        }
        if (!repair.equals("none") && !repair.equals("leaks")) {
            throw wrong("repair", "none or leaks", arguments.path("repair"));
        }
        Map<String, Object> result = new LinkedHashMap<>();
        Optional<OpenCheck> check = volume.check(name, repair.equals("leaks"), events);
        result.put("name", name);
        result.put("has-check", check.isPresent());
        check.ifPresent(found -> result.putAll(found.toMap()));
        return result;
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
