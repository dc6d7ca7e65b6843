package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where the API is served over TCP, always with TLS and a token.
 *
 * <p>Threading: immutable.
 *
 * @param address to listen on
 * @param certificate PEM file
 * @param key PEM file
 * @param token file with the token that clients have to send
 */
public record ApiOptions(ListenAddress address, Path certificate, Path key, Path token) {
    private static final int TOKEN_LENGTH_MIN = 16;

    /** The token, without white space around it. */
    String readToken() {
        try {
            String text = Files.readString(token, StandardCharsets.US_ASCII).strip();
            if (text.length() < TOKEN_LENGTH_MIN || !text.matches("[!-~]+")) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "illegal token: file="
                                + NameText.of(token)
                                + ", expected=at least "
                                + TOKEN_LENGTH_MIN
                                + " letters, digits and signs on one line");
            }
            return text;
        } catch (IOException e) {
            throw Reason.failure("cannot read the token", NameText.of(token), e);
        }
    }
}
