/** Communicator, membership client and transport SPI. */
module io.zipcomm {
    requires com.google.protobuf;
    requires transitive org.agrona;
    requires org.slf4j;
    requires static jdk.unsupported;

    exports io.zipcomm;
    exports io.zipcomm.buffer;
    exports io.zipcomm.error;
    exports io.zipcomm.membership;
    exports io.zipcomm.settings;
    exports io.zipcomm.transport;
    exports io.zipcomm.wire;
    exports io.zipcomm.wire.proto to
            io.zipcomm.transport.tcp,
            io.zipcomm.relay;
    exports io.zipcomm.internal to
            io.zipcomm.collectives,
            io.zipcomm.relay,
            io.zipcomm.bench,
            io.zipcomm.testkit;

    uses io.zipcomm.transport.DirectTransportProvider;
    uses io.zipcomm.transport.TransportProvider;
}
