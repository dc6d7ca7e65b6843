package io.quoin.replicate.wire;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What one end shows and what it trusts, for mutual TLS 1.3: both ends have a certificate that the
 * CA has signed, and a brick's certificate names the host that clients connect to.
 *
 * <p>Threading: immutable.
 *
 * @param certificate PEM: its own, then those that signed it
 * @param key PEM: PKCS 8, without a password
 * @param ca PEM: the certificates of which one must have signed the other side's
 */
public record TlsFiles(Path certificate, Path key, Path ca) {
    private static final String PROTOCOL = "TLSv1.3";

    /**
     * For a brick.
     *
     * @throws BlockException with EINVAL, if a file cannot be read or used
     */
    SslContext server() {
        return read(
                (chain, secret, trusted) ->
                        SslContextBuilder.forServer(chain, secret)
                                .trustManager(trusted)
                                .clientAuth(ClientAuth.REQUIRE));
    }

    /**
     * For a client; the name or number that it connects to must be in the brick's certificate.
     *
     * @throws BlockException with EINVAL, if a file cannot be read or used
     */
    SslContext client() {
        return read(
                (chain, secret, trusted) ->
                        SslContextBuilder.forClient()
                                .keyManager(chain, secret)
                                .trustManager(trusted)
                                .endpointIdentificationAlgorithm("HTTPS"));
    }

    private interface Use {
        SslContextBuilder of(InputStream chain, InputStream secret, InputStream trusted);
    }

    private SslContext read(Use use) {
        try (InputStream chain = Files.newInputStream(certificate);
                InputStream secret = Files.newInputStream(key);
                InputStream trusted = Files.newInputStream(ca)) {
            return use.of(chain, secret, trusted)
                    .sslProvider(SslProvider.JDK)
                    .protocols(PROTOCOL)
                    .build();
        } catch (IOException | IllegalArgumentException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "TLS files cannot be used: certificate="
                            + NameText.of(certificate)
                            + ", key="
                            + NameText.of(key)
                            + ", ca="
                            + NameText.of(ca)
                            + ", expected=PEM, the key as PKCS 8 without a password, reason="
                            + Reason.of(e),
                    e);
        }
    }
}
