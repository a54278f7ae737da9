package io.zipcomm.transport.rdma.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class FabricLibraryTest {

    @Test
    void shouldNameFunctionsAsTheHeaderDoes() throws IOException {
        String header = Files.readString(Path.of("..", "native", "include", "zip_fabric.h"));
        for (Method method : Fabric.class.getMethods()) {
            String symbol = method.getName().equals("waitFor") ? "zf_wait" : FabricLibrary.symbol(method.getName());
            assertTrue(header.contains(" " + symbol + "("), () -> "no function " + symbol);
        }
        assertEquals("zf_peer_add", FabricLibrary.symbol("peerAdd"));
    }
}
