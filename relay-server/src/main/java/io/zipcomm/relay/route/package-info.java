/**
 * Forwarding: frames go from the data connection of their source to that of their destination, payload untouched.
 *
 * <p>{@code FlowLedger} is the credit between two ranks, {@code Switchboard} the connections of one group, {@code
 * DataConnection} what comes in from a rank, {@code Outlet} what goes out to it. Nothing here knows about sessions.
 */
package io.zipcomm.relay.route;
