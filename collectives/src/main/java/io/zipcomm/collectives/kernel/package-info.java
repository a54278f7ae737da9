/**
 * Element-wise reduction: blocks of each element type, and the payload that reduces what arrives. Knows nothing of ranks
 * or messages.
 */
package io.zipcomm.collectives.kernel;
