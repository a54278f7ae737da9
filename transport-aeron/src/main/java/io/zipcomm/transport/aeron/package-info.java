/**
 * Direct paths over Aeron. Ranks of one host meet in a directory in memory ({@code SharedDirectory}, {@code HostPlace}); frames
 * go through Aeron's streams ({@code IpcPath}), long payloads through an {@code Arena}. Between
 * hosts they go through UDP streams of a driver that each rank has for itself ({@code UdpEndpoint}, {@code UdpPath}). Aeron's
 * types stay in here.
 */
package io.zipcomm.transport.aeron;
