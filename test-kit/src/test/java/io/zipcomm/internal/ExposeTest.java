package io.zipcomm.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.zipcomm.Region;
import io.zipcomm.error.ErrorCode;
import io.zipcomm.error.ZipException;
import io.zipcomm.testkit.Seeds;
import io.zipcomm.testkit.SimulatedGroup;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Regions where no path has remote memory access. */
final class ExposeTest {

    @RegisterExtension
    final Seeds seeds = new Seeds();

    @Test
    void shouldFailAlikeOnAllMembersAndChangeNothing() {
        seeds.each(100, seed -> {
            int size = 2 + (int) Math.floorMod(seed, 9L);
            String[] reasons = new String[size];
            try (SimulatedGroup group = SimulatedGroup.of(size, seed)) {
                group.run(world -> {
                    for (int again = 0; again < 2; again++) {
                        ZipException refusal =
                                assertThrows(ZipException.class, () -> world.expose(ByteBuffer.allocateDirect(8)));
                        assertEquals(ErrorCode.UNREACHABLE, refusal.code());
                        reasons[world.rank()] = refusal.reason();
                    }
                    world.duplicate().close();
                });
            }
            assertEquals(Collections.nCopies(size, reasons[0]), List.of(reasons));
        });
    }

    @Test
    void shouldNeedNoPathAlone() {
        try (SimulatedGroup group = SimulatedGroup.of(1, seeds.seed())) {
            group.run(world -> {
                ByteBuffer memory = ByteBuffer.allocateDirect(8);
                try (Region region = world.expose(memory)) {
                    region.put(0, 7, ByteBuffer.allocateDirect(1).put(0, (byte) 3));
                    region.fence();
                    assertEquals(3, memory.get(7));
                }
            });
        }
    }
}
