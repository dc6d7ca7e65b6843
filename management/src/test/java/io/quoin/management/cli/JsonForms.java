package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.http.OpenApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The forms of docs/json.md: of each command, by the schemas of the API or by names of fields. */
final class JsonForms {
    private static final Pattern WORD = Pattern.compile("`([^`]+)`");
    private static final Pattern TYPE = Pattern.compile("(list of )?`([A-Z]\\w+)`");
    private static final JsonNode SCHEMAS = OpenApi.document().path("components").path("schemas");

    private final Map<String, String> byCommand = new TreeMap<>();

    JsonForms() throws IOException {
        Path page = Path.of(System.getProperty("quoin.root"), "docs", "json.md");
        for (String line : Files.readAllLines(page)) {
            String[] cells = line.split("\\|", -1);
            if (cells.length == 4 && cells[1].contains("`quoin")) {
                words(cells[1]).forEach(command -> byCommand.put(command, cells[2].strip()));
            }
        }
    }

    private static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(text);
        while (word.find()) {
            words.add(word.group(1));
        }
        return words;
    }

    /** Whether the page has a command, or the group that it is in. */
    boolean has(String command) {
        return byCommand.containsKey(command)
                || byCommand.containsKey(command.substring(0, command.lastIndexOf(' ')));
    }

    /** Fails unless what the command has printed is of its form. */
    void check(String command, JsonNode printed) {
        String form = byCommand.get(command);
        assertThat(form).as("docs/json.md has no " + command).isNotNull();
        Matcher type = TYPE.matcher(form);
        boolean isList = form.startsWith("list of ");
        if (isList) {
            assertThat(printed.isArray()).as(command + " prints a list: " + printed).isTrue();
            assertThat(printed.isEmpty() && !form.contains("; none"))
                    .as(command + " prints something")
                    .isFalse();
        }
        for (JsonNode each : isList ? printed : List.of(printed)) {
            if (form.equals("list of names")) {
                assertThat(each.isTextual()).as(command).isTrue();
            } else if (type.matches()) {
                JsonNode schema = SCHEMAS.path(type.group(2));
                assertThat(schema.isObject()).as("no schema: " + type.group(2)).isTrue();
                check(command, each, schema);
            } else {
                assertThat(each.isObject()).as(command + " prints " + each).isTrue();
                if (form.contains("`")) {
                    assertThat(names(each)).as(command).isSubsetOf(words(form)).isNotEmpty();
                }
            }
        }
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** By the words of JSON Schema that the document uses. */
    private static void check(String at, JsonNode value, JsonNode schema) {
        if (schema.has("$ref")) {
            String reference = schema.path("$ref").asText();
            check(at, value, SCHEMAS.path(reference.substring(reference.lastIndexOf('/') + 1)));
            return;
        }
        String type = schema.path("type").asText();
        boolean isType =
                switch (type) {
                    case "string" -> value.isTextual();
                    case "integer" -> value.isIntegralNumber();
                    case "number" -> value.isNumber();
                    case "boolean" -> value.isBoolean();
                    case "array" -> value.isArray();
                    case "object" -> value.isObject();
                    default -> !value.isNull();
                };
        assertThat(isType).as(at + ", expected=" + type + ", actual=" + value).isTrue();
        if (schema.has("enum")) {
            assertThat(schema.path("enum")).as(at).contains(value);
        }
        if (value.isArray()) {
            value.forEach(each -> check(at + "[]", each, schema.path("items")));
        }
        JsonNode properties = schema.path("properties");
        schema.path("required")
                .forEach(name -> assertThat(names(value)).as(at).contains(name.asText()));
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            String below = at + "." + field.getKey();
            if (properties.isObject()) {
                assertThat(properties.has(field.getKey())).as("unknown: " + below).isTrue();
                assertThat(field.getKey()).as(below).matches("[a-z][A-Za-z0-9]*");
                check(below, field.getValue(), properties.path(field.getKey()));
            } else if (schema.has("additionalProperties")) {
                check(below, field.getValue(), schema.path("additionalProperties"));
            }
        }
    }
}
