/** The disks of a volume as backups see them, and as they come back from backups. */
@NullMarked
package io.quoin.management.backup;

import org.jspecify.annotations.NullMarked;
