package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A repair stays within the memory that it is given, with the machine around it. */
@Timeout(300)
class CheckMemoryTest {
    @Test
    @DisplayName("QCOW2 148: counts are not kept twice when a pass is made again")
    void shouldKeepCountsOnceWhenPassIsMadeAgain() {
        assertThat(repair(LittleMemoryRun.Kind.COUNTS, 64, 40).stdout()).contains("exit=2");
    }

    @Test
    @DisplayName("QCOW2 148: references that are to be moved have a bound of their own")
    void shouldMoveReferencesBitByBitWhenThereIsLittleMemory() {
        assertThat(repair(LittleMemoryRun.Kind.OVERLAPS, 64, 32).stdout()).contains("exit=0");
    }

    private static PeerResult repair(LittleMemoryRun.Kind kind, int heapMib, int countsMib) {
        return PeerCommand.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "@" + System.getProperty("quoin.root") + "/bin/jvm.options",
                        "-Xmx" + heapMib + "m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LittleMemoryRun.class.getName(),
                        kind.name(),
                        String.valueOf((long) countsMib << 20))
                .deadline(Duration.ofMinutes(2))
                .runOk();
    }
}
