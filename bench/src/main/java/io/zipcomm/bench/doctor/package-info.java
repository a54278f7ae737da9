/** What works on this machine and what does not: answers for {@code zip doctor}. Changes nothing. */
package io.zipcomm.bench.doctor;
