package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checklist section 15: qemu-img check is the judge of images that QEMU made. */
@Timeout(120)
class Qcow2CheckTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(Kind.class)
    @DisplayName("QCOW2 55, 141, 142: sound images give the numbers that QEMU gives")
    void shouldAgreeWithQemuWhenImageIsSound(Kind kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        long seed = kind.name().hashCode();
        System.out.println(kind + " seed " + seed);
        Path image = QemuImages.make(folder, kind, new Random(seed));
        List<String> findings = new ArrayList<>();
        Map<String, Long> own = ownCheck(image, RepairMode.NONE, findings);
        assertThat(own).as("%s", findings).isEqualTo(QemuImages.check(image));
        assertThat(own).containsEntry("exit", 0L);
        assertThat(findings).isEmpty();
    }

    /** By several threads; without a repair also by one, which must say the same. */
    static Map<String, Long> ownCheck(Path image, RepairMode mode, List<String> findings)
            throws IOException {
        Map<String, Long> numbers = ownCheck(image, mode, 3, findings);
        if (mode == RepairMode.NONE) {
            List<String> inOrder = new ArrayList<>();
            assertThat(numbers).isEqualTo(ownCheck(image, mode, 1, inOrder));
            assertThat(findings).endsWith(inOrder.toArray(new String[0]));
        }
        return numbers;
    }

    private static Map<String, Long> ownCheck(
            Path image, RepairMode mode, int threads, List<String> findings) throws IOException {
        CheckListener listener =
                new CheckListener() {
                    @Override
                    public void finding(String text) {
                        findings.add(text);
                    }
                };
        try (ImageFile file = ChannelImageFile.open(image, mode != RepairMode.NONE)) {
            CheckResult result =
                    Qcow2Check.check(file, mode, listener, Qcow2Check.MEMORY_BYTES_MAX, threads, 0);
            Map<String, Long> numbers = new TreeMap<>();
            result.toMap().forEach((name, value) -> numbers.put(name, (Long) value));
            numbers.put("exit", (long) result.exitCode());
            return numbers;
        }
    }
}
