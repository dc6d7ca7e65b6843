package io.quoin.qcow2.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which tables are read with the one that is asked for, and that each is the right one. */
class TablesAheadTest {
    private static final int TABLE_BYTES = 512;
    private static final int TABLES = 1000;
    private static final int GAP = 3;
    private static final int FIRST = 16 * TABLE_BYTES;

    private final RecordingFile file = new RecordingFile();
    private final ByteBuffer entries = ByteBuffer.allocate(TABLES * Long.BYTES);
    private ClosedImage image = ClosedImage.open(file);
    private TablesAhead tables = new TablesAhead(image, entry -> entry);

    /** The last call asked for so many tables. */
    private final List<Integer> calls = new ArrayList<>();

    private final class RecordingFile implements ImageFile {
        private final MemoryImageFile memory =
                new MemoryImageFile(
                        SmallImage.plain(9).toArray(), FIRST + TABLES * GAP * TABLE_BYTES);
        private long brokenOffset = -1;

        @Override
        public String name() {
            return memory.name();
        }

        @Override
        public long sizeBytes() {
            return memory.sizeBytes();
        }

        @Override
        public void read(long hostOffset, ByteBuffer target) throws IOException {
            if (brokenOffset >= hostOffset && brokenOffset < hostOffset + target.remaining()) {
                throw new IOException("broken");
            }
            memory.read(hostOffset, target);
        }

        @Override
        public void readEach(
                long[] hostOffsets, int from, int to, int pieceBytes, ByteBuffer target)
                throws IOException {
            calls.add(to - from);
            ImageFile.super.readEach(hostOffsets, from, to, pieceBytes, target);
        }

        @Override
        public void write(long hostOffset, ByteBuffer source) throws IOException {
            memory.write(hostOffset, source);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    /** Each says its index; every third pair of tables follows each other, the rest has gaps. */
    @BeforeEach
    void lay() throws IOException {
        for (int i = 0; i < TABLES; i++) {
            entries.putLong(i * Long.BYTES, placeOf(i));
            put(i, i);
        }
        image = ClosedImage.open(file);
        tables = new TablesAhead(image, entry -> entry);
    }

    private static long placeOf(int index) {
        int place = index % 3 == 1 ? (index - 1) * GAP + 1 : index * GAP;
        return FIRST + (long) place * TABLE_BYTES;
    }

    private void put(int index, long content) throws IOException {
        file.write(placeOf(index), ByteBuffer.allocate(Long.BYTES).putLong(content).flip());
    }

    private long contentOf(int index) {
        ByteBuffer table = tables.table(entries, index * Long.BYTES);
        assertThat(table.remaining()).isEqualTo(TABLE_BYTES);
        return table.getLong(0);
    }

    @Test
    void shouldReadMoreAndMoreAtOnceWhenAllAreUsed() {
        for (int i = 0; i < TABLES; i++) {
            assertThat(contentOf(i)).isEqualTo(i);
            assertThat(contentOf(i)).isEqualTo(i);
        }
        assertThat(calls).startsWith(1, 2, 4, 8, 16, 32, 64, 128, 128).hasSize(14);
    }

    @Test
    void shouldReadOneWhenFewOfManyAreUsed() {
        for (int i = 0; i < TABLES; i += 50) {
            assertThat(contentOf(i)).isEqualTo(i);
        }
        assertThat(calls).filteredOn(count -> count > 2).isEmpty();
    }

    @Test
    void shouldFindAnyTableInAnyOrder() {
        for (int i : new int[] {5, 6, 7, 8, 5, 999, 0, 1, 2, 3, 700, 2, 3, 4}) {
            assertThat(contentOf(i)).isEqualTo(i);
        }
    }

    @Test
    void shouldPassOverEntriesThatLeadToNoTable() {
        for (int i = 0; i < TABLES; i++) {
            if (i % 4 != 0) {
                entries.putLong(i * Long.BYTES, 0);
            }
        }
        for (int i = 0; i < TABLES; i += 4) {
            assertThat(contentOf(i)).isEqualTo(i);
        }
        assertThat(calls).startsWith(1, 2, 4, 8, 16, 32, 64);
    }

    @Test
    void shouldReadAgainWhatWasWrittenMeanwhile() throws IOException {
        for (int i = 0; i < 4; i++) {
            assertThat(contentOf(i)).isEqualTo(i);
        }
        put(4, 44);
        tables.forget();
        assertThat(contentOf(4)).isEqualTo(44);
    }

    @Test
    void shouldFailForATableThatIsAskedForAndNoOther() {
        file.brokenOffset = placeOf(40);
        for (int i = 0; i < 40; i++) {
            assertThat(contentOf(i)).isEqualTo(i);
        }
        assertThatThrownBy(() -> contentOf(40))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("broken");
        assertThat(contentOf(41)).isEqualTo(41);
    }
}
