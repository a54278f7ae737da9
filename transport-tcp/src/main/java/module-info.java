/** Direct TCP, and the client side of the relay. Exports nothing: the service loader finds it. */
module io.zipcomm.transport.tcp {
    requires com.google.protobuf;
    requires io.netty.buffer;
    requires io.netty.common;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires io.netty.transport.unix.common;
    requires io.zipcomm;
    requires org.slf4j;

    provides io.zipcomm.transport.TransportProvider with
            io.zipcomm.transport.tcp.TcpTransportProvider;
}
