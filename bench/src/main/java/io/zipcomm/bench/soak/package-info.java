/** Long runs of real processes that lose and replace members: whether anything grows that should not. What the command line looks like is elsewhere. */
package io.zipcomm.bench.soak;
