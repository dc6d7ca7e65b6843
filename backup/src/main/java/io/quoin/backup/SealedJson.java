package io.quoin.backup;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Records in JSON files that carry the hash of their own content. There is one way to write a
 * record, and a file that is written in another one is damaged: so each changed byte is found.
 *
 * <pre>
 * { "content" : { ... }, "sha256" : "of the content on one line without spaces" }
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class SealedJson {
    private static final ObjectMapper JSON =
            new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);
    private static final long FILE_BYTES_MAX = 1 << 20;

    private SealedJson() {}

    private record Sealed(Object content, String sha256) {}

    /** The content of the file of a record. */
    static byte[] render(Record content) {
        try {
            byte[] line =
                    JSON.writer()
                            .without(SerializationFeature.INDENT_OUTPUT)
                            .writeValueAsBytes(content);
            Sealed sealed = new Sealed(content, Sha256.of(line));
            return (NameText.json(JSON.writeValueAsString(sealed)) + "\n")
                    .getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("record cannot be written: " + content, e);
        }
    }

    /**
     * The bytes of a file.
     *
     * @throws BlockException EIO if it cannot be read
     */
    static byte[] bytes(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw damaged(file, "longer than " + FILE_BYTES_MAX + " bytes", null);
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw Reason.failure("file of a backup cannot be read", NameText.of(file), e);
        }
    }

    /**
     * Reads what {@link #render} has written.
     *
     * @param file for messages
     * @throws BlockException EIO if it is damaged, ENOTSUP of a later version
     */
    static <T extends Record> T parse(byte[] bytes, Class<T> type, Path file) {
        T content;
        try {
            JsonNode tree = JSON.readTree(bytes).path("content");
            int version = tree.path("version").asInt(Manifest.VERSION);
            if (version > Manifest.VERSION) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "manifest is of a later version: file="
                                + NameText.of(file)
                                + ", version="
                                + version
                                + ", expected=at most "
                                + Manifest.VERSION);
            }
            content = JSON.treeToValue(tree, type);
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(file, "it is not what was written", e);
        }
        if (content == null || !Arrays.equals(bytes, render(content))) {
            throw damaged(file, "it is not what was written", null);
        }
        return content;
    }

    private static BlockException damaged(
            Path file, String why, @org.jspecify.annotations.Nullable Exception cause) {
        return new BlockException(
                BlockError.EIO,
                "file of a backup is damaged: file=" + NameText.of(file) + ", reason=" + why,
                cause);
    }
}
