package io.quoin.replicate.wire;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A certificate authority that is thrown away, made by the JDK's keytool. */
final class TestAuthority {
    private static final String PASSWORD = "password";
    private static final String CA = "ca";
    private static final int LINE_CHARS = 64;

    private final Path folder;
    private final Path store;

    TestAuthority(Path folder) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.store = folder.resolve("ca.p12");
        keytool(
                store,
                "-genkeypair",
                "-alias",
                CA,
                "-dname",
                "CN=" + folder.getFileName(),
                "-ext",
                "bc:c",
                "-keyalg",
                "EC",
                "-validity",
                "2");
        writePem(store, CA);
    }

    Path certificate() {
        return folder.resolve(CA + ".cert");
    }

    /** A certificate for loopback with its key, and this authority as what is trusted. */
    TlsFiles issue(String name, String subjectNames) throws Exception {
        Path own = folder.resolve(name + ".p12");
        Path request = folder.resolve(name + ".csr");
        Path signed = folder.resolve(name + ".signed");
        keytool(
                own,
                "-genkeypair",
                "-alias",
                name,
                "-dname",
                "CN=" + name,
                "-keyalg",
                "EC",
                "-validity",
                "2");
        keytool(own, "-certreq", "-alias", name, "-file", request.toString());
        keytool(
                store,
                "-gencert",
                "-alias",
                CA,
                "-infile",
                request.toString(),
                "-outfile",
                signed.toString(),
                "-ext",
                "san=" + subjectNames,
                "-validity",
                "2",
                "-rfc");
        writePem(own, name);
        Files.copy(signed, folder.resolve(name + ".chain"));
        return new TlsFiles(
                folder.resolve(name + ".chain"), folder.resolve(name + ".key"), certificate());
    }

    private static void keytool(Path store, String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of(arguments));
        command.addAll(
                List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass"));
        command.add(PASSWORD);
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError("keytool failed: " + command);
        }
    }

    private void writePem(Path from, String alias) throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(from)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Certificate certificate = keys.getCertificate(alias);
        byte[] key = keys.getKey(alias, PASSWORD.toCharArray()).getEncoded();
        Files.writeString(
                folder.resolve(alias + ".cert"), pem("CERTIFICATE", certificate.getEncoded()));
        Files.writeString(folder.resolve(alias + ".key"), pem("PRIVATE KEY", key));
    }

    private static String pem(String kind, byte[] content) {
        String text = Base64.getMimeEncoder(LINE_CHARS, new byte[] {'\n'}).encodeToString(content);
        return "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n";
    }
}
