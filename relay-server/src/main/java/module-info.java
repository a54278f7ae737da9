/** The relay: a daemon, or embedded in a process. */
module io.zipcomm.relay {
    requires com.fasterxml.jackson.core;
    requires com.google.protobuf;
    requires io.netty.buffer;
    requires io.netty.codec;
    requires io.netty.codec.http;
    requires io.netty.common;
    requires io.netty.handler;
    requires io.netty.transport;
    requires io.netty.transport.classes.epoll;
    requires transitive io.zipcomm;
    requires micrometer.core;
    requires micrometer.registry.prometheus;
    requires org.jose4j;
    requires org.slf4j;

    exports io.zipcomm.relay;
    exports io.zipcomm.relay.admin;

    uses io.zipcomm.internal.Combiner.Provider;
}
