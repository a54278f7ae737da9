package io.zipcomm.transport.aeron;

import io.zipcomm.relay.RelayServer;
import io.zipcomm.relay.RelaySettings;
import io.zipcomm.settings.ZipSettings;
import io.zipcomm.settings.ZipSettings.TransportChoice;
import io.zipcomm.testkit.EpochsContract;

/** Directories and drivers of one epoch are not in the way of those of the next. */
final class IpcEpochsTest extends EpochsContract {

    @Override
    protected Relay startRelay() {
        RelayServer server = RelayServer.start(
                RelaySettings.builder().listen("127.0.0.1:0").insecure(true).build());
        return new Relay(server.address().getPort(), server::close);
    }

    @Override
    protected void choose(ZipSettings.Builder settings) {
        settings.transport(TransportChoice.AERON_IPC);
    }

    @Override
    protected String path() {
        return "aeron-ipc";
    }
}
