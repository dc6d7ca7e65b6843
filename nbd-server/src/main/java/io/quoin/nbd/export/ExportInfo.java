package io.quoin.nbd.export;

/**
 * An export as a client sees it in a list.
 *
 * <p>Threading: immutable.
 *
 * @param name the name that a client opens it by: a key, never a path
 * @param description a line for a person; may be empty
 */
public record ExportInfo(String name, String description) {}
