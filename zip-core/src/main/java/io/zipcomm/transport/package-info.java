/**
 * What a transport implements, and what it is told: providers, paths, frames on their way in and out, the control channel
 * to a relay. Interfaces and carriers of values only; the engine in {@code io.zipcomm.internal} uses them.
 */
package io.zipcomm.transport;
