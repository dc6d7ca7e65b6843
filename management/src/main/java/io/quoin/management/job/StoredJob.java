package io.quoin.management.job;

import java.util.Map;

/**
 * A job as it is on disk.
 *
 * <p>Threading: immutable.
 *
 * @param job its last change of state
 * @param request what was asked for
 */
public record StoredJob(JobView job, Map<String, Object> request) {}
