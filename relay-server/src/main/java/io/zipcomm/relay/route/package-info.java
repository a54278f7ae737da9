/**
 * Forwarding: frames go from the data connection of their source to that of their destination, payload untouched.
 *
 * <p>{@code FlowLedger} is the credit between two ranks, {@code Switchboard} the connections of one group, {@code
 * DataConnection} what comes in from a rank, {@code Outlet} what goes out to it. Nothing here knows about sessions.
 *
 * <p>{@code Hub}, and what is named after it, is the relay's part in collectives: {@code HubMember} one rank's frames, {@code
 * HubOperation} one operation, {@code Fold} what it combines.
 *
 * <p>The futures that Netty returns from every write and close are not looked at: what fails ends the channel, and its
 * handler is told.
 */
package io.zipcomm.relay.route;
