/**
 * cluster/stripe: files whose blocks lie on several subvolumes in turn. A file is one file of the
 * same name on each of them, which begins with a header that says which part of which striped file
 * it is; docs/adr/0037 has the reasons.
 */
@NullMarked
package io.quoin.stripe;

import org.jspecify.annotations.NullMarked;
