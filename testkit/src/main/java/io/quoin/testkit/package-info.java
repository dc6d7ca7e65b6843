/**
 * The test kit: the contract suite that every xlator inherits, a file system in memory, and the
 * model that devices are compared with.
 */
@NullMarked
package io.quoin.testkit;

import org.jspecify.annotations.NullMarked;
