/** Communicator, membership client and transport SPI. */
module io.zipcomm {
    requires com.google.protobuf;
    requires transitive org.agrona;
    requires org.slf4j;

    exports io.zipcomm;
    exports io.zipcomm.buffer;
    exports io.zipcomm.error;
    exports io.zipcomm.settings;
    exports io.zipcomm.transport;
}
