/**
 * The relay: where the ranks of a session find each other, and who watches over them.
 *
 * <p>Begin at {@link io.zipcomm.relay.RelayServer}. A connection starts in {@code Handshake} and becomes either a
 * {@code ControlConnection}, one for each rank, whose {@code Session} decides who may be in it, or a data connection, whose
 * frames the package {@code route} forwards. A rank is part of a {@code Party}, which decides what becomes of it: a
 * {@code Gathering}, a {@code Succession} or {@code Newcomers} as long as it waits, an {@code Epoch} from then on. All connections of a session are served by one event loop, so nothing here
 * is locked.
 *
 * <p>The futures that Netty returns from every write and close are not looked at: what fails ends the channel, and its
 * handler is told.
 */
package io.zipcomm.relay;
