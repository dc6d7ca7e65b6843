package io.quoin.management.job;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A job as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param id names it in its volume
 * @param kind the operation that it carries out, as in disk.check
 * @param subject what it works on, as the name of a disk
 * @param state where it is
 * @param progress how far it is
 * @param createdAt when a client asked for it, by ISO 8601
 * @param startedAt when it began; null before
 * @param endedAt when it ended; null before
 * @param failure why there is no result; null unless it failed, was cancelled or interrupted
 * @param result the fields of the result; null unless it is done
 */
public record JobView(
        String id,
        String kind,
        String subject,
        JobState state,
        JobProgress progress,
        String createdAt,
        @Nullable String startedAt,
        @Nullable String endedAt,
        @Nullable JobFailure failure,
        @Nullable Map<String, Object> result) {}
