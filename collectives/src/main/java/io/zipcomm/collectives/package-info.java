/**
 * Collective operations on a communicator: {@link io.zipcomm.collectives.Collectives} is where to begin. How an operation
 * is done is in the packages named after the operations; they know no transport.
 */
package io.zipcomm.collectives;
