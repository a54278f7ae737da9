/**
 * What works on this machine and on its network, and what does not: answers for {@code zip doctor}. Changes nothing. It joins and
 * connects by what programs use; the only sockets of its own are those of {@link io.zipcomm.bench.doctor.Rendezvous}.
 */
package io.zipcomm.bench.doctor;
