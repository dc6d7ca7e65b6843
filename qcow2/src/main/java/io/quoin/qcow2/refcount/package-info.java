/**
 * Which host clusters are in use: refcount blocks in memory, clusters reserved ahead of their use,
 * and references that go away. Work on refcounts is done by one task at a time, so blocks need no
 * locks and no pins.
 */
@NullMarked
package io.quoin.qcow2.refcount;

import org.jspecify.annotations.NullMarked;
