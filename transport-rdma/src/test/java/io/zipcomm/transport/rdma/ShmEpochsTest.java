package io.zipcomm.transport.rdma;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.Setting;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.EpochsContract;
import io.zipcomm.transport.rdma.ffi.Native;

/** Queues and registered memory of one epoch are not in the way of those of the next, over libfabric in shared memory. */
final class ShmEpochsTest extends EpochsContract {

    @Override
    protected Relay startRelay() {
        Native.library();
        RelayServer server = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
        return new Relay(server.address().getPort(), server::close);
    }

    @Override
    protected void choose(ZipSettings.Builder settings) {
        settings.transport(TransportChoice.RDMA).set(Setting.RDMA_PROVIDER, Native.SHM);
    }

    @Override
    protected String path() {
        return "rdma";
    }
}
