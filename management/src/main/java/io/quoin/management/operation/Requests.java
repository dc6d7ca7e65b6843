package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.NearestName;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Requests as JSON, read strictly: a field that is unknown, missing or of another type is named. A
 * request is a record of texts, whole numbers, truth values, and lists and maps of texts; what may
 * be left out is {@code @Nullable}.
 *
 * <p>Threading: immutable.
 */
public final class Requests {
    private static final ObjectMapper JSON =
            new ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);
    private static final TypeReference<Map<String, Object>> FIELDS = new TypeReference<>() {};

    private Requests() {}

    /** The fields of a request, for {@link #read}. */
    public static ObjectNode treeOf(Object request) {
        return JSON.valueToTree(request);
    }

    static Map<String, Object> fieldsOf(Record request) {
        return JSON.convertValue(request, FIELDS);
    }

    /** Whether a field may be left out. */
    public static boolean isOptional(RecordComponent field) {
        return field.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    /**
     * Refuses fields that clients of another host may not give.
     *
     * @throws BlockException EPERM, naming the field
     */
    public static void requireNoLocal(JsonNode fields, Class<?> request) {
        for (RecordComponent component : request.getRecordComponents()) {
            if (component.isAnnotationPresent(Local.class) && fields.has(component.getName())) {
                throw new BlockException(
                        BlockError.EPERM,
                        "argument is for clients of the control socket: name="
                                + component.getName());
            }
        }
    }

    /**
     * Reads a request.
     *
     * @throws BlockException EINVAL, naming the field that is wrong
     */
    public static <Q extends Record> Q read(JsonNode fields, Class<Q> type) {
        RecordComponent[] components = type.getRecordComponents();
        Set<String> known = new TreeSet<>();
        Arrays.stream(components).forEach(component -> known.add(component.getName()));
        fields.fieldNames()
                .forEachRemaining(
                        name -> {
                            if (!known.contains(name)) {
                                throw new BlockException(
                                        BlockError.EINVAL,
                                        NearestName.unknown("argument", name, known));
                            }
                        });
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            values[i] = value(components[i], fields.path(components[i].getName()));
        }
        return make(type, components, values);
    }

    /** A value as it stands in a path or behind a question mark, for {@link #read}. */
    public static void putText(ObjectNode fields, String name, String text, Class<?> request) {
        Class<?> type = String.class;
        for (RecordComponent component : request.getRecordComponents()) {
            if (component.getName().equals(name)) {
                type = component.getType();
            }
        }
        if (isNumber(type) && text.matches("-?\\d{1,18}")) {
            fields.put(name, Long.parseLong(text));
        } else if (isTruth(type) && text.matches("true|false")) {
            fields.put(name, text.equals("true"));
        } else {
            fields.put(name, text);
        }
    }

    private static boolean isNumber(Class<?> type) {
        return type == long.class || type == Long.class;
    }

    private static boolean isTruth(Class<?> type) {
        return type == boolean.class || type == Boolean.class;
    }

    private static @Nullable Object value(RecordComponent component, JsonNode given) {
        String name = component.getName();
        Class<?> type = component.getType();
        if ((given.isMissingNode() || given.isNull()) && isOptional(component)) {
            return null;
        }
        if (type == String.class) {
            return given.isTextual() ? given.asText() : refuse(name, "a text", given);
        }
        if (isNumber(type)) {
            return given.isIntegralNumber() && given.canConvertToLong()
                    ? (Object) given.asLong()
                    : refuse(name, "a whole number", given);
        }
        if (isTruth(type)) {
            return given.isBoolean() ? given.asBoolean() : refuse(name, "true or false", given);
        }
        if (type == Map.class) {
            return given.isObject() ? texts(name, given) : refuse(name, "an object", given);
        }
        if (type == List.class) {
            return given.isArray() ? listOfTexts(name, given) : refuse(name, "a list", given);
        }
        throw new IllegalStateException("no request has a field of that type: " + component);
    }

    private static List<String> listOfTexts(String name, JsonNode given) {
        List<String> texts = new ArrayList<>();
        for (JsonNode text : given) {
            if (!text.isTextual()) {
                refuse(name + "[" + texts.size() + "]", "a text", text);
            }
            texts.add(text.asText());
        }
        return texts;
    }

    private static Map<String, String> texts(String name, JsonNode given) {
        Map<String, String> texts = new LinkedHashMap<>();
        given.properties()
                .forEach(
                        entry -> {
                            if (!entry.getValue().isValueNode()) {
                                refuse(name + "." + entry.getKey(), "a text", entry.getValue());
                            }
                            texts.put(entry.getKey(), entry.getValue().asText());
                        });
        return texts;
    }

    private static Object refuse(String name, String expected, JsonNode actual) {
        throw new BlockException(
                BlockError.EINVAL,
                "wrong argument: name="
                        + name
                        + ", expected="
                        + expected
                        + ", actual="
                        + (actual.isMissingNode() ? "nothing" : actual));
    }

    static @Nullable Object value(Record request, RecordComponent component) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(request);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("request cannot be read: " + request, e);
        }
    }

    static <Q extends Record> Q make(
            Class<Q> type, RecordComponent[] components, @Nullable Object[] values) {
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        try {
            return type.getDeclaredConstructor(types).newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof BlockException refused) {
                throw refused;
            }
            throw new IllegalStateException("request cannot be made: " + type, e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("request cannot be made: " + type, e);
        }
    }
}
