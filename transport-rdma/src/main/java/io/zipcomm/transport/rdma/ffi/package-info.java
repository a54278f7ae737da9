/**
 * Calls of the native library that is a flat interface to libfabric: one method for each of its functions, and its
 * structures over direct buffers. Nothing here knows of ranks or frames. Exported, and no API: the classes that JNR-FFI makes of the
 * interface are in another module.
 */
package io.zipcomm.transport.rdma.ffi;
