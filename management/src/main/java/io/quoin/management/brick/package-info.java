/**
 * The process of one brick of a replicated volume: its folder behind storage/posix, its files, its
 * server, and the check that its storage answers.
 */
@NullMarked
package io.quoin.management.brick;

import org.jspecify.annotations.NullMarked;
