package io.quoin.management.job;

import java.util.List;

/**
 * A job and what it has told.
 *
 * <p>Threading: immutable.
 *
 * @param job as it is now
 * @param messages lines for a person, oldest first
 * @param next number of the message after them: ask from there the next time
 */
public record JobNews(JobView job, List<String> messages, long next) {}
