/**
 * Shared memory between ranks of one host: where they meet ({@code SharedDirectory}), and what bulk data goes through
 * ({@code Arena}).
 */
package io.zipcomm.transport.aeron;
