package io.quoin.replicate.link;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.xlator.graph.XlatorType;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class NodeTypesTest {
    @Test
    void shouldBeFoundByVolfiles() {
        assertThat(ServiceLoader.load(XlatorType.class))
                .extracting(XlatorType::type)
                .contains("protocol/local", "protocol/client", "cluster/replicate");
    }
}
