package io.zipcomm.bench.worker;

import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.ToByteBufEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/**
 * A piece of memory as one value.
 *
 * @param memory all of it
 * @param at     first byte of the piece
 * @param length bytes of the piece
 */
record RedisPiece(RedisMemory memory, int at, int length) {

    /** A value without bytes. */
    static final RedisPiece EMPTY = new RedisPiece(RedisMemory.of(ByteBuffer.allocate(0), 0, 0), 0, 0);

    private void write(ByteBuf target) {
        if (length > 0) {
            memory.write(at, length, target);
        }
    }

    /** Writes keys and pieces to the connection. Replies are read by {@link RedisReply}, not here. */
    static final class Codec implements RedisCodec<byte[], RedisPiece>, ToByteBufEncoder<byte[], RedisPiece> {

        @Override
        public byte[] decodeKey(ByteBuffer bytes) {
            byte[] key = new byte[bytes.remaining()];
            bytes.get(key);
            return key;
        }

        @Override
        public RedisPiece decodeValue(ByteBuffer bytes) {
            throw new UnsupportedOperationException("replies are read into memory that is there already");
        }

        @Override
        public ByteBuffer encodeKey(byte[] key) {
            return ByteBuffer.wrap(key);
        }

        @Override
        public ByteBuffer encodeValue(RedisPiece value) {
            ByteBuf bytes = Unpooled.buffer(value.length());
            value.write(bytes);
            return bytes.nioBuffer();
        }

        @Override
        public void encodeKey(byte[] key, ByteBuf target) {
            target.writeBytes(key);
        }

        @Override
        public void encodeValue(RedisPiece value, ByteBuf target) {
            value.write(target);
        }

        @Override
        public int estimateSize(Object keyOrValue) {
            return keyOrValue instanceof RedisPiece piece ? piece.length() : ((byte[]) keyOrValue).length;
        }

        @Override
        public boolean isEstimateExact() {
            return true;
        }
    }
}
