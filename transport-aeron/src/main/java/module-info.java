/** Direct paths over Aeron. Exports nothing: a service provider. */
module io.zipcomm.transport.aeron {
    requires io.aeron.client;
    requires io.aeron.driver;
    requires io.zipcomm;
    requires org.agrona;
    requires org.slf4j;

    provides io.zipcomm.transport.DirectTransportProvider with
            io.zipcomm.transport.aeron.AeronIpcProvider,
            io.zipcomm.transport.aeron.AeronUdpProvider;
}
