/** The relay as a program: its command line, signals and logs. What it does is in {@code io.zipcomm.relay}. */
package io.zipcomm.relay.daemon;
