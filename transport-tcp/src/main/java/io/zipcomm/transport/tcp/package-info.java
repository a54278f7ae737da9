/**
 * Direct TCP on Netty; Netty types never leave it.
 */
package io.zipcomm.transport.tcp;
