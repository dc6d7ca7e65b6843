package io.quoin.management.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperationsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void shouldHaveAClassForEachNameAndARouteOfItsOwn() {
        for (ServiceOperation<?, ?> operation : Operations.ALL) {
            String expected =
                    Arrays.stream(operation.type().name().split("\\."))
                            .map(OperationsTest::capital)
                            .collect(Collectors.joining());
            assertThat(operation.getClass().getSimpleName()).isEqualTo(expected);
            assertThat(Operations.named(operation.type().name())).isSameAs(operation);
        }
        assertThat(Operations.ALL.stream().map(operation -> operation.type().route()))
                .doesNotHaveDuplicates();
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    @Test
    void shouldSuggestTheOperationThatWasMeant() {
        assertThatThrownBy(() -> Operations.named("disk.lss"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("did you mean disk.ls?");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                | name=name, expected=a text, actual=nothing",
                "{'name':7,'sizeBytes':1}          | name=name, expected=a text, actual=7",
                "{'name':'a'}                      | name=sizeBytes, expected=a whole number",
                "{'name':'a','sizeBytes':'1G'}     | name=sizeBytes, expected=a whole number",
                "{'name':'a','sizeBytes':1.5}      | name=sizeBytes, expected=a whole number",
                "{'name':'a','sizeBytes':1,'x':1}  | x",
                "{'name':'a','sizeBytes':1,'options':[]}        | name=options, expected=an object",
                "{'name':'a','sizeBytes':1,'options':{'a':{}}}  | name=options.a, expected=a text"
            })
    void shouldNameTheFieldThatIsWrong(String request, String words) throws IOException {
        String json = request.replace('\'', '"');
        var fields = JSON.readTree(json);
        assertThatThrownBy(() -> Requests.read(fields, DiskCreate.Request.class))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(words);
    }

    /** Whatever it says of the request: that a field has a type that nothing reads is a fault. */
    @Test
    void shouldKnowHowToReadEachFieldOfEachRequest() {
        for (ServiceOperation<?, ?> operation : Operations.ALL) {
            ObjectNode fields = JSON.createObjectNode();
            for (RecordComponent field : operation.type().request().getRecordComponents()) {
                fields.set(field.getName(), anyOf(field.getType()));
            }
            assertThat(Requests.read(fields, operation.type().request())).isNotNull();
        }
    }

    private static JsonNode anyOf(Class<?> type) {
        if (type == String.class) {
            return TextNode.valueOf("a");
        }
        if (type == Map.class) {
            return JSON.createObjectNode();
        }
        if (type == List.class) {
            return JSON.createArrayNode();
        }
        return type == boolean.class || type == Boolean.class
                ? BooleanNode.TRUE
                : LongNode.valueOf(1);
    }

    @Test
    void shouldReadWhatItWrote() {
        DiskCreate.Request full = new DiskCreate.Request("vm1", 1L << 40, Map.of("format", "raw"));
        assertThat(Requests.read(Requests.treeOf(full), DiskCreate.Request.class)).isEqualTo(full);
        DiskCreate.Request least = new DiskCreate.Request("vm1", 0, null);
        assertThat(Requests.read(Requests.treeOf(least), DiskCreate.Request.class))
                .isEqualTo(least);
        DiskClone.Request clone = new DiskClone.Request("vm1", List.of("a", "b"), 512L);
        assertThat(Requests.read(Requests.treeOf(clone), DiskClone.Request.class)).isEqualTo(clone);
        JobWait.Request wait = new JobWait.Request("7", 3L, null);
        assertThat(Requests.read(Requests.treeOf(wait), JobWait.Request.class)).isEqualTo(wait);
    }
}
