/**
 * What a program imports: {@link io.zipcomm.Zip} to join a group, {@link io.zipcomm.Communicator} to talk to it,
 * {@link io.zipcomm.ZipFuture} for what is still under way. Collective operations are in a module of their own.
 */
package io.zipcomm;
