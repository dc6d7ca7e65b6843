package io.quoin.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(10)
class NbdUriTest {
    @ParameterizedTest
    @CsvSource({
        "nbd://host, host, 10809, ''",
        "nbd://host/, host, 10809, ''",
        "nbd://host:/a, host, 10809, a",
        "nbd://my_host/a, my_host, 10809, a",
        "nbd://stack_web-1.my_net:1/a/b, stack_web-1.my_net, 1, a/b",
        "nbd://_/a, _, 10809, a",
        "nbd://my%5Fhost:65535/a%20b%2Fc+d%25, my_host, 65535, a b/c+d%",
        "nbd://user@my_host:10810/a, my_host, 10810, a",
        "nbd://127.0.0.1:10810/, 127.0.0.1, 10810, ''",
        "nbd://[::1]/a, ::1, 10809, a",
        "nbd://[::1]:10810/a, ::1, 10810, a",
        "nbd://[::ffff:10.0.0.1]:10810/a, ::ffff:10.0.0.1, 10810, a",
        "nbd://[fe80::1%25eth0]:10810/a, fe80::1%eth0, 10810, a",
    })
    void shouldFindHostPortAndExport(String text, String host, int port, String export) {
        NbdUri uri = NbdUri.parse(text);

        assertThat(uri.host()).isEqualTo(host);
        assertThat(uri.port()).isEqualTo(port);
        assertThat(uri.exportName()).isEqualTo(export);
        assertThat(uri.socket()).isNull();
        assertThat(uri.server())
                .isEqualTo((host.contains(":") ? "[" + host + "]" : host) + ":" + port);
    }

    @ParameterizedTest
    @CsvSource({
        "nbd+unix:///?socket=/run/a, /run/a, ''",
        "nbd+unix://?socket=/run/a, /run/a, ''",
        "nbd+unix:///a%20b?socket=/run/my_%25%3F+dir/s, /run/my_%?+dir/s, a b",
    })
    void shouldFindTheSocket(String text, String socket, String export) {
        NbdUri uri = NbdUri.parse(text);

        assertThat(uri.socket()).isEqualTo(Path.of(socket));
        assertThat(uri.exportName()).isEqualTo(export);
        assertThat(uri.host()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nbd:",
                "nbd:host:10809",
                "nbd:///a",
                "nbd://:10809/a",
                "nbd://my_host:0/a",
                "nbd://my_host:65536/a",
                "nbd://my_host:99999999999/a",
                "nbd://my_host:-1/a",
                "nbd://my_host:1x/a",
                "nbd://my_host:1:2/a",
                "nbd://::1/a",
                "nbd://[::1/a",
                "nbd://[::1]x/a",
                "nbd://my_host/a?b=c",
                "nbd://my_host/%zz",
                "nbd+unix:///a",
                "nbd+unix://my_host/a?socket=/run/a",
                "nbd+unix:///a?socket=/run/%00",
            })
    void shouldRefuseWhatIsNoAddress(String text) {
        assertThatThrownBy(() -> NbdUri.parse(text))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                .hasMessageStartingWith("illegal NBD address: address=" + text + ", expected=");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nbds://my_host/a", "nbds+unix:///a?socket=/s", "nbd+vsock://1/a"})
    void shouldSayWhichKindsAreSpoken(String text) {
        assertThatThrownBy(() -> NbdUri.parse(text))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP))
                .hasMessageContaining("expected=nbd or nbd+unix");
    }
}
