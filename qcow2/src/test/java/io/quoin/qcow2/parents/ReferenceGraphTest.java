package io.quoin.qcow2.parents;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.layout.HeaderReferences;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReferenceGraphTest {
    private final Map<String, HeaderReferences> images = new HashMap<>();

    @Test
    void shouldNameTheClosestFirstWhenAChainStandsOnAFile() {
        image("a.qcow2", "base.raw", null);
        image("c.qcow2", "b.qcow2", null);
        image("b.qcow2", "a.qcow2", null);
        image("other.qcow2", null, null);
        assertThat(graph().usersOf("base.raw")).containsExactly("a.qcow2", "b.qcow2", "c.qcow2");
        assertThat(graph().readersOf("b.qcow2")).containsExactly("c.qcow2");
        assertThat(graph().usersOf("c.qcow2")).isEmpty();
    }

    @Test
    void shouldCountDataFilesAsWellAsBackingFiles() {
        image("a.qcow2", null, "a.raw");
        image("b.qcow2", "a.qcow2", null);
        assertThat(graph().readersOf("a.raw")).containsExactly("a.qcow2", "b.qcow2");
    }

    @Test
    void shouldLetTheHeadBeWrittenWhenOnlyASnapshotIsStoodOn() {
        image("b.qcow2", "a.qcow2@monday", null);
        assertThat(graph().readersOf("a.qcow2")).isEmpty();
        assertThat(graph().usersOf("a.qcow2")).containsExactly("b.qcow2");
        assertThat(graph().usersOf("a.qcow2@monday")).containsExactly("b.qcow2");
    }

    @Test
    void shouldKeepNothingInPlaceForImagesThatStandOnThemselves() {
        image("self.qcow2", "self.qcow2", null);
        image("a.qcow2", "b.qcow2", null);
        image("b.qcow2", "a.qcow2", null);
        image("c.qcow2", "a.qcow2", null);
        assertThat(graph().usersOf("self.qcow2")).isEmpty();
        assertThat(graph().usersOf("b.qcow2")).isEmpty();
        assertThat(graph().usersOf("a.qcow2")).containsExactly("c.qcow2");
    }

    @Test
    void shouldCutALongListOfNames() {
        assertThat(ReferenceGraph.text(List.of("a", "b", "c"))).isEqualTo("a, b, c");
        assertThat(ReferenceGraph.text(List.of("a", "b", "c", "d", "e")))
                .isEqualTo("a, b, c and 2 more");
    }

    private void image(
            String name,
            @org.jspecify.annotations.Nullable String backingFile,
            @org.jspecify.annotations.Nullable String dataFile) {
        images.put(name, new HeaderReferences(backingFile, dataFile));
    }

    private ReferenceGraph graph() {
        return new ReferenceGraph(images);
    }
}
