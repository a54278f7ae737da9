/**
 * The engine: links, messages, credit, operations, and the threads that drive them. {@code Engine} is where to begin,
 * {@code Link} is the ordered channel to one peer, {@code MembershipClient} joins a group through a relay. Exported to the project's own modules only, and free to change.
 */
package io.zipcomm.internal;
