package io.zipcomm.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What strangers do wrong goes to the log, and there must be little of it. */
final class WireFaultsTest {

    private static String heard(Exception fault) {
        EmbeddedChannel channel = new EmbeddedChannel(
                new ByteToMessageDecoder() {
                    @Override
                    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
                            throws Exception {
                        in.skipBytes(in.readableBytes());
                        throw fault;
                    }
                },
                new WireFaults());
        IOException heard =
                assertThrows(IOException.class, () -> channel.writeInbound(Unpooled.wrappedBuffer(new byte[] {1})));
        channel.finishAndReleaseAll();
        return heard.getMessage();
    }

    /** As the TLS of Netty does with what is none: it shows all of it. */
    @Test
    void shouldCutWhatAStrangerMadeLong() {
        String text = heard(new IllegalStateException("not a record: " + "16".repeat(100_000)));
        assertEquals("IllegalStateException: not a record: " + "16".repeat(93) + "...", text);
    }

    @Test
    void shouldKeepToOneLine() {
        assertEquals("DecoderException: no?line? of?mine", heard(new DecoderException("no\nline\r of\u001bmine")));
        assertEquals("IllegalStateException", heard(new IllegalStateException()));
    }
}
