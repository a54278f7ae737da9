/** Broadcast algorithms. One class each; which is used when is in {@code io.zipcomm.collectives.select}. */
package io.zipcomm.collectives.broadcast;
