/** Groups of real processes that lose members again and again, by choices that a seed repeats; and the judge of what they report. */
package io.zipcomm.bench.chaos;
