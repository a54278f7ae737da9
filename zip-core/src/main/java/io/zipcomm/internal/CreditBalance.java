package io.zipcomm.internal;

/**
 * What the credit of one link came to at this end, in bytes with what entries cost, for leak checks. When a group has ended well what one
 * end has charged the other has kept, what it has kept it has released, and what it has told of that has come.
 *
 * @param charged  for what was sent to the peer
 * @param returned what the peer has given back of it, as far as heard
 * @param kept     of what came from the peer
 * @param released of that
 * @param told     of that, in what was sent to the peer
 */
public record CreditBalance(long charged, long returned, long kept, long released, long told) {}
