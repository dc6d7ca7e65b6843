package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.FeatureNames;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The header area: what is kept, what is switched by one sector, and what a crash leaves. */
@Timeout(60)
class HeaderStoreTest {
    private static final String NAME = "disk.qcow2";
    private static final int UNKNOWN_TYPE = 0x12345678;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final DiskRecorder log = new DiskRecorder(brick, false);

    private @Nullable XlatorFile file;

    /** A store over a file with {@code content}, which is put there the first time. */
    private HeaderStore store(byte[] content) {
        if (file == null) {
            brick.put(NAME, content);
            file = loops.await(log.open(NAME, OpenOptions.READ_WRITE, loops.loop(0)));
        }
        ImageIo io = new ImageIo(file, loops.loop(0), new ImageHealth(NAME, true));
        io.map().add(0, MetadataKind.HEADER);
        return new HeaderStore(io, parse(content), ByteBuffer.wrap(content), 1);
    }

    private static Qcow2Header parse(byte[] content) {
        return Qcow2Header.parse(ByteBuffer.wrap(content), content.length);
    }

    private static HeaderBuilder image(int clusterBits) {
        return Qcow2Header.builder()
                .clusterBits(clusterBits)
                .sizeBytes(1 << clusterBits)
                .l1(1, 3L << clusterBits)
                .refcountTable(1L << clusterBits, 1);
    }

    /** A file of eight clusters with one more header field and an unknown bit in it. */
    private static byte[] file(Qcow2Header header) {
        byte[] content = new byte[header.clusterSizeBytes() * 8];
        ByteBuffer encoded = header.encode();
        encoded.get(content, 0, encoded.limit());
        return content;
    }

    private static HeaderExtension unknown(int length, int seed) {
        byte[] data = new byte[length];
        new Random(seed).nextBytes(data);
        return new HeaderExtension(UNKNOWN_TYPE + seed % 2, OpaqueBytes.copyOf(data));
    }

    private BlockError change(HeaderStore store, UnaryOperator<Qcow2Header> edit) {
        List<BlockError> outcome = new ArrayList<>();
        loops.loop(0).run(() -> store.changeExtensions(edit, outcome::add));
        loops.runUntil(() -> !outcome.isEmpty());
        return outcome.get(0);
    }

    @Test
    @DisplayName("QCOW2 5, 35: a rewrite keeps unknown header fields and unknown extensions")
    void shouldKeepWhatItDoesNotKnowWhenExtensionsChange() {
        byte[] content = file(image(16).extension(unknown(333, 4)).build());
        // Eight bytes of a later version's header: everything behind moves.
        System.arraycopy(content.clone(), 112, content, 120, 600);
        ByteBuffer.wrap(content).putInt(100, 120).putLong(112, 0x1122334455667788L);
        HeaderStore store = store(content);
        HeaderExtension added = new BitmapsExtension(1, 32, 1 << 17).toExtension();
        assertThat(change(store, header -> header.toBuilder().extension(added).build()))
                .isEqualTo(BlockError.OK);

        byte[] after = brick.content(NAME);
        Qcow2Header header = parse(after);
        assertThat(header.extension(UNKNOWN_TYPE)).isEqualTo(unknown(333, 4));
        assertThat(header.extension(HeaderExtension.BITMAPS)).isEqualTo(added);
        assertThat(ByteBuffer.wrap(after).getInt(100)).isEqualTo(120);
        assertThat(ByteBuffer.wrap(after).getLong(112)).isEqualTo(0x1122334455667788L);
        assertThat(ByteBuffer.wrap(after).getInt(120)).isEqualTo(HeaderExtension.BITMAPS);
    }

    @Test
    @DisplayName("QCOW2 29: only the autoclear bits that are not kept are cleared")
    void shouldKeepKnownAutoclearBitsWhenUnknownOnesAreCleared() {
        byte[] content = file(image(16).features(0, 0, 0xff0).build());
        HeaderStore store = store(content);
        assertThat(store.hasAutoclearBeyond(0xff0)).isFalse();
        assertThat(store.hasAutoclearBeyond(0xfe0)).isTrue();
        loops.loop(0).run(() -> store.clearAutoclear(0xf0, error -> {}));
        assertThat(parse(brick.content(NAME)).autoclearFeatures()).isEqualTo(0xf0);
        loops.loop(0).run(() -> store.changeAutoclear(0x10, 0x100, error -> {}));
        assertThat(parse(brick.content(NAME)).autoclearFeatures()).isEqualTo(0x1e0);
        assertThat(brick.isUnflushed(NAME)).isFalse();
        assertThat(log.events.stream().filter(event -> event.length > 0))
                .hasSize(2)
                .allMatch(event -> event.length == 512);
    }

    /** Cluster 0 has 512 bytes: of header 112, of an extension 8 and its end 8, and the name. */
    @ParameterizedTest
    @ValueSource(ints = {384, 385})
    void shouldMarkLeaksByABitWhenThereIsNoRoomForTheExtension(int nameLength) {
        boolean hasRoom = nameLength == 384;
        byte[] content = file(image(9).backingFile("b".repeat(nameLength)).build());
        HeaderStore store = store(content);
        List<BlockError> outcomes = new ArrayList<>();
        loops.loop(0).run(() -> store.markLeaks(outcomes::add));
        loops.runUntil(() -> outcomes.size() == 1);
        Qcow2Header marked = parse(brick.content(NAME));
        assertThat(marked.mayHaveLeaks()).isTrue();
        assertThat(marked.extension(HeaderExtension.LEAKS) != null).isEqualTo(hasRoom);
        assertThat(marked.autoclearFeatures() != 0).isEqualTo(!hasRoom);
        assertThat(brick.isUnflushed(NAME)).isFalse();
        loops.loop(0).run(() -> store.unmarkLeaks(outcomes::add));
        loops.runUntil(() -> outcomes.size() == 2);
        assertThat(parse(brick.content(NAME)).mayHaveLeaks()).isFalse();
        assertThat(parse(brick.content(NAME)).backingFile()).hasSize(nameLength);
        assertThat(outcomes).containsOnly(BlockError.OK);
    }

    @Test
    @DisplayName("QCOW2 44: extensions that do not fit into the first cluster are refused")
    void shouldRefuseWhenExtensionsDoNotFit() {
        byte[] content = file(image(9).backingFile("base").build());
        HeaderStore store = store(content);
        UnaryOperator<Qcow2Header> tooLarge =
                header -> header.toBuilder().extension(unknown(400, 2)).build();
        assertThatThrownBy(() -> store.requireRoom(tooLarge))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("at most the cluster size 512");
        assertThat(change(store, tooLarge)).isEqualTo(BlockError.EINVAL);
        assertThat(brick.content(NAME)).isEqualTo(content);
        loops.loop(0).run(() -> store.setSize(4711, error -> {}));
        assertThat(parse(brick.content(NAME)).sizeBytes()).isEqualTo(4711);
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 13, 16})
    @DisplayName("QCOW2 44, 130: a crash leaves the header area as it was or as it is wanted")
    void shouldHaveOldOrNewHeaderWhenRewriteIsTorn(int clusterBits) {
        long seed = RandomOperations.seed();
        System.out.println("header: seed=" + seed);
        Random random = new Random(seed);
        List<Qcow2Header> wanted = new ArrayList<>();
        HeaderBuilder first = image(clusterBits).backingFile("base");
        if (clusterBits > 9) {
            first.extension(FeatureNames.extension()).extension(unknown(200, 1));
        }
        byte[] initial = file(first.build());
        HeaderStore store = store(initial);
        int[] current = {0};
        wanted.add(parse(initial));
        for (int i = 0; i < 40; i++) {
            UnaryOperator<Qcow2Header> edit = randomEdit(random, clusterBits == 9 ? 20 : 500);
            assertThat(change(store, edit)).isEqualTo(BlockError.OK);
            wanted.add(store.header());
            int now = wanted.size() - 1;
            log.mark(() -> current[0] = now);
            if (random.nextInt(4) == 0) {
                store = store(brick.content(NAME));
            }
        }
        int[] states = {0};
        CrashReplay.Judge judge =
                (state, files) -> {
                    Qcow2Header found = parse(files.get(NAME).content());
                    assertThat(List.of(current[0], current[0] + 1))
                            .as("seed=%d, %s", seed, state)
                            .anyMatch(i -> i < wanted.size() && same(found, wanted.get(i)));
                    states[0]++;
                };
        current[0] = 0;
        new CrashReplay(Map.of(NAME, initial), log.events)
                .run(judge, random, Integer.MAX_VALUE, 11);
        System.out.println("header: states=" + states[0]);
    }

    @Test
    @DisplayName("QCOW2 44, 130: a jump that others moved behind the first sector leads nowhere")
    void shouldHaveOldOrNewHeaderWhenTheJumpIsNotInTheFirstSector() {
        HeaderExtension before = unknown(450, 0);
        HeaderExtension jump =
                new HeaderExtension(HeaderExtension.JUMP, OpaqueBytes.copyOf(new byte[2000]));
        byte[] initial =
                file(image(13).extension(before).extension(jump).extension(unknown(9, 1)).build());
        HeaderStore store = store(initial);
        HeaderExtension added = new BitmapsExtension(1, 32, 1 << 14).toExtension();
        assertThat(change(store, header -> header.toBuilder().extension(added).build()))
                .isEqualTo(BlockError.OK);
        Qcow2Header old = parse(initial);
        CrashReplay.Judge judge =
                (state, files) -> {
                    Qcow2Header found = parse(files.get(NAME).content());
                    assertThat(same(found, old) || same(found, store.header()))
                            .as("%s", state)
                            .isTrue();
                };
        new CrashReplay(Map.of(NAME, initial), log.events)
                .run(judge, new Random(1), Integer.MAX_VALUE, 11);
        assertThat(same(parse(brick.content(NAME)), store.header())).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {504, 512, 1000})
    @DisplayName("QCOW2 5, 44: a change is on disk also if the header fills the first sector")
    void shouldWriteTheChangeWhenTheFirstSectorHasNoRoomForAJump(int headerLength) {
        byte[] content = file(image(13).extension(unknown(333, 4)).build());
        System.arraycopy(content.clone(), 112, content, headerLength, 600);
        Arrays.fill(content, 112, headerLength, (byte) 3);
        ByteBuffer.wrap(content).putInt(100, headerLength);
        HeaderStore store = store(content);
        for (int offset = 1 << 14; offset <= 3 << 14; offset += 1 << 14) {
            HeaderExtension added = new BitmapsExtension(1, 32, offset).toExtension();
            assertThat(change(store, header -> header.toBuilder().extension(added).build()))
                    .isEqualTo(BlockError.OK);
            Qcow2Header after = parse(brick.content(NAME));
            assertThat(after.extension(HeaderExtension.BITMAPS)).isEqualTo(added);
            assertThat(after.extension(UNKNOWN_TYPE)).isEqualTo(unknown(333, 4));
        }
    }

    private static UnaryOperator<Qcow2Header> randomEdit(Random random, int lengthMax) {
        int kind = random.nextInt(5);
        int number = random.nextInt(1 << 20);
        int length = random.nextInt(lengthMax) + 1;
        return header -> {
            HeaderBuilder builder = header.toBuilder();
            switch (kind) {
                case 0 ->
                        builder.extension(
                                new BitmapsExtension(1, number + 1, 2L * header.clusterSizeBytes())
                                        .toExtension());
                case 1 -> builder.withoutExtension(HeaderExtension.BITMAPS);
                case 2 -> builder.extension(unknown(length, number));
                case 3 -> builder.backingFile("b".repeat(length));
                default -> builder.features(0, 0, number & 0xff0);
            }
            return builder.build();
        };
    }

    private static boolean same(Qcow2Header a, Qcow2Header b) {
        return extensions(a).equals(extensions(b))
                && a.autoclearFeatures() == b.autoclearFeatures()
                && String.valueOf(a.backingFile()).equals(String.valueOf(b.backingFile()));
    }

    /** In the order of their types; the jump is no content. */
    private static List<@Nullable HeaderExtension> extensions(Qcow2Header header) {
        List<@Nullable HeaderExtension> extensions = new ArrayList<>(header.extensions());
        extensions.removeIf(extension -> extension.type() == HeaderExtension.JUMP);
        HeaderExtension[] sorted = extensions.toArray(HeaderExtension[]::new);
        Arrays.sort(sorted, (a, b) -> Integer.compare(a.type(), b.type()));
        return List.of(sorted);
    }
}
