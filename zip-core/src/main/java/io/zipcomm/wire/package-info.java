/**
 * Layout of what travels: the header of a frame, the kinds of frame, the handshake of a direct connection. No input or
 * output. {@code docs/wire-format.md} describes the same for people.
 */
package io.zipcomm.wire;
