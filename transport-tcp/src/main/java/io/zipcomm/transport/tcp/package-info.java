/**
 * Direct TCP and the client side of the relay. {@code FrameStream} moves frames over a connection;
 * {@code DirectConnection} and {@code RelayConnection} are the two kinds of it; {@code Poller} waits for sockets, on the
 * caller's thread. Netty types do not leave this package.
 */
package io.zipcomm.transport.tcp;
