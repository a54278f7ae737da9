package io.zipcomm.transport.tcp;

/** Paths through a real relay, in TLS, on nio, keep the contract. */
final class RelayedTlsNioContractTest extends RelayedContract {

    RelayedTlsNioContractTest() {
        super("nio", Way.Kind.ZIPS);
    }
}
