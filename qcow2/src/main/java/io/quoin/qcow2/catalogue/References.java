package io.quoin.qcow2.catalogue;

import io.quoin.qcow2.layout.HeaderReferences;
import java.util.List;
import java.util.Map;

/**
 * What the images of a volume stand on.
 *
 * @param version another one where anything else is: two with the same one of a catalogue are equal
 * @param byImage what the header of each names
 * @param unreadable the images that could not be read, sorted; they are given what they were last
 *     known to stand on
 *     <p>Threading: immutable.
 */
public record References(
        long version, Map<String, HeaderReferences> byImage, List<String> unreadable) {}
