/** Shared memory between ranks of one host. Exports nothing. */
module io.zipcomm.transport.aeron {
    requires io.zipcomm;
    requires org.agrona;
    requires org.slf4j;
}
