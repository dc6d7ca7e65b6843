package io.quoin.management.e2e;

import java.net.URI;
import java.nio.file.Path;

/** An NBD URI in its parts (NBD project: doc/uri.md). */
record NbdUri(String text) {
    private static final String SOCKET = "socket=";

    static NbdUri unix(Path socket, String export) {
        return new NbdUri("nbd+unix:///" + export + "?" + SOCKET + socket);
    }

    static NbdUri tcp(int port, String export) {
        return new NbdUri("nbd://127.0.0.1:" + port + "/" + export);
    }

    String export() {
        return URI.create(text).getPath().substring(1);
    }

    Path socket() {
        String query = URI.create(text).getQuery();
        return Path.of(query.substring(query.indexOf(SOCKET) + SOCKET.length()));
    }

    int port() {
        return URI.create(text).getPort();
    }

    @Override
    public String toString() {
        return text;
    }
}
