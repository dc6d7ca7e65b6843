/**
 * What the headers of a volume's images say, and which snapshots they have, remembered while their
 * files stay as they are.
 */
@NullMarked
package io.quoin.qcow2.catalogue;

import org.jspecify.annotations.NullMarked;
