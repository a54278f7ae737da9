package io.zipcomm.settings;

import io.zipcomm.transport.ProxyAddress;
import java.util.Optional;

/**
 * What a process needs to get through to a relay besides its address.
 *
 * @param caFile          certificates of the authorities that vouch for relays, PEM; empty for those of the system
 * @param certificateFile this process's certificate, PEM; empty for none
 * @param keyFile         its key, PKCS#8 in PEM; empty for none
 * @param proxy           asked to connect, if there is one
 */
public record RelayAccess(String caFile, String certificateFile, String keyFile, Optional<ProxyAddress> proxy) {}
