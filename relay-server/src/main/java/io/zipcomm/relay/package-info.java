/**
 * The relay daemon.
 */
package io.zipcomm.relay;
