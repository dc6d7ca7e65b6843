package io.quoin.management.operation;

/**
 * What an operation does, and when it answers.
 *
 * <p>Threading: immutable.
 */
public enum Kind {
    /** Changes nothing. */
    READ,
    /** Changes something, and answers when that is done. */
    CHANGE,
    /** Answers with a job at once; the work goes on without the client. */
    JOB
}
