package io.quoin.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whether memory is zeros is found by every byte of it, and by no other. */
@Timeout(30)
class IoVectorZeroTest {
    private final ByteBuffer bytes = ByteBuffer.allocateDirect(256);

    @Test
    void shouldFindByteThatIsNoZeroWhereverItIs() {
        IoVector memory = new IoVector();
        long address = BufferUtil.address(bytes);
        memory.add(address, 37);
        memory.add(address + 40, 101);
        memory.add(address + 150, 1);
        for (int at = 0; at < bytes.capacity(); at++) {
            bytes.put(at, (byte) 0x80);
            int position = position(at);
            assertThat(memory.isZero()).as("byte %d", at).isEqualTo(position < 0);
            for (int from = 0; from < 139; from += 7) {
                for (int length = 0; from + length <= 139; length += 5) {
                    boolean inside = position >= from && position < from + length;
                    assertThat(memory.isZero(from, length)).isEqualTo(!inside);
                }
            }
            bytes.put(at, (byte) 0);
        }
    }

    /** Where the byte of the buffer is in the vector; -1: nowhere. */
    private static int position(int at) {
        if (at < 37) {
            return at;
        }
        if (at >= 40 && at < 141) {
            return at - 3;
        }
        return at == 150 ? 138 : -1;
    }
}
