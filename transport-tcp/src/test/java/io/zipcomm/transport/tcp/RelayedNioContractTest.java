package io.zipcomm.transport.tcp;

import org.junit.jupiter.api.Tag;

/** Paths through a real relay, on nio, keep the contract. */
@Tag("once")
final class RelayedNioContractTest extends RelayedContract {

    RelayedNioContractTest() {
        super("nio");
    }
}
