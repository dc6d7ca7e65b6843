package io.quoin.management.http;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.management.operation.Kind;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Operations;
import io.quoin.management.operation.Requests;
import io.quoin.management.operation.ServiceOperation;
import java.lang.reflect.RecordComponent;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The document of the HTTP API, as OpenAPI 3.1 has it, made of the operations.
 *
 * <p>Threading: immutable, but for what is made at the moment.
 */
public final class OpenApi {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMAS = "#/components/schemas/";

    private final ObjectNode root = JSON.createObjectNode();
    private final ObjectNode schemas = JSON.createObjectNode();

    private OpenApi() {}

    /** All of it. */
    public static ObjectNode document() {
        return new OpenApi().make();
    }

    private ObjectNode make() {
        root.put("openapi", "3.1.0");
        root.putObject("info").put("title", "Quoin").put("version", "1");
        ObjectNode paths = root.putObject("paths");
        for (ServiceOperation<?, ?> operation : Operations.ALL) {
            OperationType<?, ?> type = operation.type();
            String path = type.route().path();
            ObjectNode methods =
                    paths.get(path) instanceof ObjectNode there ? there : paths.putObject(path);
            ObjectNode method = methods.putObject(type.route().method().toLowerCase(Locale.ROOT));
            describe(type, method);
            describeResult(operation, method);
        }
        ObjectNode problem = schemas.putObject("Problem").put("type", "object");
        ObjectNode fields = problem.putObject("properties");
        for (String field : new String[] {"type", "title", "detail", "error"}) {
            fields.putObject(field).put("type", "string");
        }
        fields.putObject("status").put("type", "integer");
        root.putObject("components").set("schemas", schemas);
        return root;
    }

    private void describe(OperationType<?, ?> type, ObjectNode node) {
        node.put("operationId", type.name()).put("summary", type.summary());
        ArrayNode parameters = JSON.createArrayNode();
        ObjectNode body = JSON.createObjectNode().put("type", "object");
        ObjectNode properties = body.putObject("properties");
        ArrayNode required = body.putArray("required");
        boolean hasBody = type.route().method().equals("POST");
        for (RecordComponent field : type.request().getRecordComponents()) {
            boolean inPath = type.route().path().contains("{" + field.getName() + "}");
            JavaType fieldType = JSON.constructType(field.getGenericType());
            if (inPath || !hasBody) {
                parameters
                        .addObject()
                        .put("name", field.getName())
                        .put("in", inPath ? "path" : "query")
                        .put("required", !Requests.isOptional(field))
                        .set("schema", schema(fieldType));
            } else {
                properties.set(field.getName(), schema(fieldType));
                if (!Requests.isOptional(field)) {
                    required.add(field.getName());
                }
            }
        }
        parameters
                .addObject()
                .put("name", HttpApi.VOLUME)
                .put("in", "query")
                .put("required", false)
                .set("schema", JSON.createObjectNode().put("type", "string"));
        node.set("parameters", parameters);
        if (!properties.isEmpty()) {
            content(node.putObject("requestBody"), "application/json", body);
        }
        ObjectNode responses = node.putObject("responses");
        content(
                responses
                        .putObject(type.kind() == Kind.JOB ? "202" : "200")
                        .put("description", "the result"),
                "application/json",
                schema(JSON.constructType(type.result())));
        content(
                responses.putObject("default").put("description", "a problem"),
                HttpAnswer.PROBLEM,
                JSON.createObjectNode().put("$ref", SCHEMAS + "Problem"));
    }

    /** What the result of a job has that is done, where it has a form of its own. */
    private void describeResult(ServiceOperation<?, ?> operation, ObjectNode method) {
        for (Class<?> inner : operation.getClass().getDeclaredClasses()) {
            if (operation.type().kind() == Kind.JOB && inner.getSimpleName().equals("Result")) {
                method.withObject("/responses/202")
                        .set("x-job-result", schema(JSON.constructType(inner)));
            }
        }
    }

    private static void content(ObjectNode node, String mediaType, ObjectNode schema) {
        node.putObject("content").putObject(mediaType).set("schema", schema);
    }

    private ObjectNode schema(JavaType type) {
        ObjectNode schema = JSON.createObjectNode();
        Class<?> raw = type.getRawClass();
        if (raw == String.class) {
            return schema.put("type", "string");
        }
        if (raw == boolean.class || raw == Boolean.class) {
            return schema.put("type", "boolean");
        }
        if (raw == long.class || raw == Long.class || raw == int.class || raw == Integer.class) {
            boolean isShort = raw == int.class || raw == Integer.class;
            return schema.put("type", "integer").put("format", isShort ? "int32" : "int64");
        }
        if (raw.isEnum()) {
            ArrayNode values = schema.put("type", "string").putArray("enum");
            for (Object constant : raw.getEnumConstants()) {
                values.add(JSON.valueToTree(constant));
            }
            return schema;
        }
        if (type.isMapLikeType()) {
            schema.put("type", "object").set("additionalProperties", schema(type.getContentType()));
            return schema;
        }
        if (type.isCollectionLikeType()) {
            schema.put("type", "array").set("items", schema(type.getContentType()));
            return schema;
        }
        if (raw.isRecord()) {
            return schema.put("$ref", SCHEMAS + recordSchema(type));
        }
        return schema; // any value
    }

    private String recordSchema(JavaType type) {
        Class<?> raw = type.getRawClass();
        Class<?> outer = raw.getEnclosingClass();
        String name = (outer == null ? "" : outer.getSimpleName()) + raw.getSimpleName();
        if (schemas.has(name)) {
            return name;
        }
        ObjectNode schema = schemas.putObject(name).put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        Map<String, RecordComponent> components = new HashMap<>();
        for (RecordComponent component : raw.getRecordComponents()) {
            components.put(component.getName(), component);
        }
        BeanDescription description = JSON.getSerializationConfig().introspect(type);
        for (BeanPropertyDefinition property : description.findProperties()) {
            properties.set(property.getName(), schema(property.getPrimaryType()));
            RecordComponent component = components.get(property.getInternalName());
            if (component != null && !Requests.isOptional(component)) {
                required.add(property.getName());
            }
        }
        return name;
    }
}
