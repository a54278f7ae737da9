package io.zipcomm.transport.tcp;

/** Paths through a real relay, on nio, keep the contract. */
final class RelayedNioContractTest extends RelayedContract {

    RelayedNioContractTest() {
        super("nio");
    }
}
