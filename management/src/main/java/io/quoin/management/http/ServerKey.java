package io.quoin.management.http;

import io.netty.handler.ssl.JdkSslContext;
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
import javax.net.ssl.SSLContext;

/**
 * A server's certificate and key, as PEM files.
 *
 * <p>Threading: immutable.
 */
public final class ServerKey {
    private ServerKey() {}

    /**
     * Reads both.
     *
     * @param certificate the server's, then those that signed it
     * @param key PKCS 8, without a password
     */
    public static SSLContext read(Path certificate, Path key) {
        try (InputStream chain = Files.newInputStream(certificate);
                InputStream secret = Files.newInputStream(key)) {
            JdkSslContext context =
                    (JdkSslContext)
                            SslContextBuilder.forServer(chain, secret)
                                    .sslProvider(SslProvider.JDK)
                                    .build();
            return context.context();
        } catch (IOException | IllegalArgumentException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "certificate or key cannot be used: certificate="
                            + NameText.of(certificate)
                            + ", key="
                            + NameText.of(key)
                            + ", expected=PEM, the key as PKCS 8 without a password, reason="
                            + Reason.of(e),
                    e);
        }
    }
}
