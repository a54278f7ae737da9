package io.zipcomm.transport.tcp;

/** Paths through a real relay, in a WebSocket in TLS, through a proxy, on nio, keep the contract. */
final class RelayedProxiedContractTest extends RelayedContract {

    RelayedProxiedContractTest() {
        super("nio", Way.Kind.PROXY_WSS);
    }
}
