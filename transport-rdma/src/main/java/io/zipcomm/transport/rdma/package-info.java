/**
 * Paths over fabrics with remote memory access: one endpoint for each process, messages into memory that is posted for them, and long
 * payloads that their receiver reads from the sender's memory. Native calls are in {@code ffi}.
 */
package io.zipcomm.transport.rdma;
