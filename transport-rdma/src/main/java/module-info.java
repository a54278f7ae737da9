/** Direct paths over libfabric. A service provider: what it exports is for the classes that JNR-FFI makes, and no API. */
module io.zipcomm.transport.rdma {
    requires transitive io.zipcomm;
    requires org.jnrproject.ffi;
    requires org.jnrproject.jffi;
    requires org.slf4j;

    exports io.zipcomm.transport.rdma.ffi;

    provides io.zipcomm.transport.DirectTransportProvider with
            io.zipcomm.transport.rdma.RdmaProvider;
}
