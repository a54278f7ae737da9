package io.zipcomm.relay.route;

/**
 * By which ranks mean the same operation. Communicators of different colours of one split have one context, but no member in
 * common.
 *
 * @param context of the communicator
 * @param leader  world rank of its first member
 * @param tag     number of the operation on the communicator
 */
record HubKey(int context, int leader, long tag) {}
