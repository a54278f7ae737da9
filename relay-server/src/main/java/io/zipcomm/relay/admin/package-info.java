/**
 * What an operator asks a relay over HTTP, on an address of its own: health, metrics, sessions, drain, reload. One thread
 * serves it, which is none of the relay's, and what it asks of these is bounded.
 *
 * <p>The futures that Netty returns from every write and close are not looked at: what fails ends the channel.
 */
package io.zipcomm.relay.admin;
