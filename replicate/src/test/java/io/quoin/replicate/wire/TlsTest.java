package io.quoin.replicate.wire;

import static io.quoin.replicate.wire.WireBed.promise;
import static io.quoin.replicate.wire.WireBed.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.RecordingListener.Connected;
import io.quoin.replicate.wire.RecordingListener.Received;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.UUID;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TlsTest {
    private static final UUID FILE = UUID.randomUUID();
    private static final String LOOPBACK = "ip:127.0.0.1";

    @TempDir private static Path folder;
    private static TlsFiles brick;
    private static TlsFiles gateway;
    private static TlsFiles stranger;
    private static TlsFiles elsewhere;

    private final RecordingListener listener = new RecordingListener();
    private WireBed bed;

    @BeforeAll
    static void makeKeys() throws Exception {
        TestAuthority ours = new TestAuthority(folder.resolve("ours"));
        TestAuthority other = new TestAuthority(folder.resolve("other"));
        brick = ours.issue("brick", LOOPBACK);
        gateway = ours.issue("gateway", LOOPBACK);
        elsewhere = ours.issue("elsewhere", "dns:brick.example");
        TlsFiles unknown = other.issue("stranger", LOOPBACK);
        stranger = new TlsFiles(unknown.certificate(), unknown.key(), ours.certificate());
    }

    @BeforeEach
    void start() {
        bed = new WireBed(with(brick));
    }

    @AfterEach
    void stop() throws Exception {
        bed.close();
    }

    private static WireOptions with(TlsFiles files) {
        return new WireOptions(files, false, WireBed.OPTIONS.timing());
    }

    private String failureOf(WireOptions options) {
        RemoteBrick link = bed.open(bed.address(), options, listener);
        Await.until("failed", () -> link.failure() != null);
        assertThat(listener.isEmpty()).isTrue();
        return String.valueOf(link.failure());
    }

    @Test
    void shouldCarryDataWhenBothCertificatesAreGood() {
        RemoteBrick link = bed.open(bed.address(), with(gateway), listener);
        listener.next(Connected.class);
        link.send(FILE, promise(1));
        listener.next(Received.class);
        byte[] data = new byte[1 << 20];
        Arrays.fill(data, (byte) 7);
        for (int id = 1; id <= 20; id++) {
            link.send(FILE, request(1, id, new Request.Write(0, Payload.of(data), true)));
            link.send(FILE, request(1, 100 + id, new Request.Read(7, 1 << 20)));
        }
        for (int id = 1; id <= 20; id++) {
            assertThat(listener.next(Received.class).reply().id()).isEqualTo(id);
            Reply reply = listener.next(Received.class).reply();
            assertThat(((Reply.Data) reply.result()).data().bytes()).isEqualTo(data);
        }
        assertThat(bed.brick().arrivedBytes()).isEqualTo(20L << 20);
    }

    @Test
    void shouldRefuseTheClientWhenAnotherAuthoritySignedItsCertificate() {
        assertThat(failureOf(with(stranger)))
                .startsWith("the other side refuses TLS with this certificate");
    }

    @Test
    void shouldRefuseTheBrickWhenAnotherAuthoritySignedItsCertificate() throws Exception {
        bed.close();
        bed = new WireBed(with(stranger));
        assertThat(failureOf(with(gateway)))
                .startsWith("the certificate of the other side is not trusted");
    }

    @Test
    void shouldRefuseTheBrickWhenItsCertificateNamesAnotherHost() throws Exception {
        bed.close();
        bed = new WireBed(with(elsewhere));
        assertThat(failureOf(with(gateway)))
                .isEqualTo("the certificate of the other side does not name its address");
    }

    @Test
    void shouldRefuseTheClientWhenItHasNoCertificate() throws Exception {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, trusting().getTrustManagers(), new SecureRandom());
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(bed.address().host(), bed.address().port())) {
            assertThatThrownBy(
                            () -> {
                                socket.getOutputStream().write(Frames.hello(WireBed.VOLUME, 1));
                                socket.getInputStream().read();
                            })
                    .isInstanceOf(IOException.class);
        }
    }

    private static TrustManagerFactory trusting() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (var in = java.nio.file.Files.newInputStream(brick.ca())) {
            store.setCertificateEntry(
                    "ca",
                    (X509Certificate)
                            CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return factory;
    }

    @Test
    void shouldRefuseTls12WhenTheClientSpeaksNothingNewer() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trusting().getTrustManagers(), new SecureRandom());
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(bed.address().host(), bed.address().port())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertThatThrownBy(socket::startHandshake).isInstanceOf(IOException.class);
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenOnlyOneSideSpeaksTls() throws Exception {
        assertThat(failureOf(WireBed.OPTIONS)).isNotEmpty();
        bed.close();
        bed = new WireBed();
        assertThat(failureOf(with(gateway))).isNotEmpty();
    }

    @Test
    void shouldNameTheFilesWhenTheyCannotBeUsed() {
        TlsFiles none = new TlsFiles(brick.certificate(), folder.resolve("none"), brick.ca());
        TlsFiles swapped = new TlsFiles(brick.key(), brick.certificate(), brick.ca());
        for (TlsFiles files : new TlsFiles[] {none, swapped}) {
            assertThatThrownBy(files::server)
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("TLS files cannot be used: certificate=" + folder);
        }
    }
}
