package io.quoin.management.operation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.management.volume.DataFolder;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What came of the last scrub of a volume, kept in its data folder.
 *
 * <p>Threading: immutable; reading and writing block.
 *
 * @param startedAt when it began, by ISO 8601
 * @param endedAt when it ended
 * @param failure why it ended early; null if it did not
 * @param found what it found
 */
public record ScrubRecord(
        String startedAt, String endedAt, @Nullable String failure, VolumeScrub.Result found) {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Path file(DataFolder folder) {
        return folder.path().resolve("scrub.json");
    }

    /** Durable on return. */
    void write(DataFolder folder) {
        try {
            String text = NameText.json(JSON.writeValueAsString(this));
            DurableFile.put(file(folder), text.getBytes(StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts and numbers", e);
        }
    }

    /** Null if there was none. */
    static @Nullable ScrubRecord read(DataFolder folder) {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return null;
        }
        try {
            return JSON.readValue(Files.readAllBytes(file), ScrubRecord.class);
        } catch (IOException e) {
            throw Reason.failure("cannot read the last scrub", NameText.of(file), e);
        }
    }
}
