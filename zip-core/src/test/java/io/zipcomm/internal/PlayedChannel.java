package io.zipcomm.internal;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.zipcomm.transport.ControlChannel;
import io.zipcomm.transport.RelayAddress;
import io.zipcomm.transport.TransportProvider;
import io.zipcomm.wire.Frame;
import io.zipcomm.wire.SessionKey;
import io.zipcomm.wire.proto.Admitted;
import io.zipcomm.wire.proto.GroupReady;
import io.zipcomm.wire.proto.Member;
import io.zipcomm.wire.proto.ToRank;
import io.zipcomm.wire.proto.ToRelay;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BiFunction;

/** A rank's control connection to a relay that the test plays. */
interface PlayedChannel extends ControlChannel {

    /** A group of one rank. */
    GroupReady READY = GroupReady.newBuilder()
            .setEpoch(1)
            .setSessionKey(ByteString.copyFrom(new byte[SessionKey.BYTES]))
            .setFlowWindowBytes(1 << 20)
            .setFragmentBytesMax(1 << 16)
            .addMembers(Member.newBuilder().setHostId("h"))
            .build();

    /** What a rank has said. */
    static ToRelay read(byte[] message) {
        try {
            return ToRelay.parseFrom(message);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** Says something to a rank. */
    static void say(Listener rank, ToRank.Builder message) {
        rank.message(ByteBuffer.wrap(message.build().toByteArray()));
    }

    /** Gives a rank its place. */
    static void admit(Listener rank, int heartbeatMs, int heartbeatTimeoutMs) {
        say(
                rank,
                ToRank.newBuilder()
                        .setAdmitted(Admitted.newBuilder()
                                .setVersion(Frame.VERSION)
                                .setHeartbeatIntervalMs(heartbeatMs)
                                .setHeartbeatTimeoutMs(heartbeatTimeoutMs)));
    }

    /** Opens what the test plays, and can do nothing else. */
    static TransportProvider provider(BiFunction<RelayAddress, Listener, ControlChannel> opened) {
        return (TransportProvider) Proxy.newProxyInstance(
                TransportProvider.class.getClassLoader(),
                new Class<?>[] {TransportProvider.class},
                (proxy, method, arguments) -> method.getName().equals("openControl")
                        ? opened.apply((RelayAddress) arguments[1], (Listener) arguments[3])
                        : List.of());
    }

    @Override
    default InetSocketAddress local() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);
    }

    @Override
    default InetSocketAddress remote() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 2);
    }

    @Override
    default void close() {}
}
