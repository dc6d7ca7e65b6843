package io.quoin.replicate.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.Config;
import io.quoin.replicate.Layout;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may have a file, by what the bricks have heard. */
class ProbesTest {
    private static final long OWN = 5;
    private static final long OTHER = 6;

    /**
     * @param heard for each brick: y(es), n(o), o: of a gateway of this process, -: no answer
     */
    @ParameterizedTest
    @CsvSource({
        "THREE, yyy, true",
        "THREE, yyn, true",
        "THREE, ynn, false",
        "THREE, yn-, true",
        "THREE, nn-, false",
        "THREE, nnn, false",
        "THREE, ooo, false",
        "THREE, yoo, false",
        "TWO_ARBITER, nyy, true",
        "TWO_ARBITER, nny, false",
        "TWO_ARBITER, -ny, true",
        "TWO, yn, true",
        "TWO, ny, false",
        "TWO, -y, true",
        "ONE, y, true",
        "ONE, n, false",
    })
    void shouldBeAttendedWhenAGatewayThatIsHeardMayHaveAMajority(
            Layout layout, String heard, boolean isAttended) {
        SortedMap<Integer, BrickProbe> answers = new TreeMap<>();
        for (int brick = 0; brick < heard.length(); brick++) {
            char what = heard.charAt(brick);
            if (what != '-') {
                answers.put(
                        brick,
                        new BrickProbe(
                                3,
                                what == 'o' ? OWN : OTHER,
                                what != 'n',
                                Config.initial(layout),
                                0,
                                0));
            }
        }
        Probes probes = new Probes(layout, answers);
        assertThat(probes.isAttended(gateway -> gateway == OWN)).isEqualTo(isAttended);
    }
}
