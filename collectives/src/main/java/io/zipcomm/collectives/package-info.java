/**
 * Collective operations on a communicator; algorithms know no transport.
 */
package io.zipcomm.collectives;
